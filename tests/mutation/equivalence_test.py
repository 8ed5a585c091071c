"""Controls of the proofs: mutants of control.sv that differ must not be proved, those that do not must be."""
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import equivalence  # noqa: E402

CONTRACT = [
    {"ports": ["data_i"], "value": "data_i & 4'd7"},
    {"ports": ["data_o"], "when": "valid_o"},
]
MUTANTS = [
    "-mode inv -module control -cell u_payload -port Y -portbit 0",
    "-mode inv -module control -cell u_flag -port Y -portbit 0",
    "-mode const0 -module control -cell u_content -port A -portbit 2",
    "-mode const0 -module control -cell u_idle -port Y -portbit 1",
    "-mode const0 -module control -cell u_content -port A -portbit 3",
]
PAYLOAD, FLAG, CONTENT, ONLY_IDLE, UNUSED_CONTENT = range(1, 6)


class EquivalenceTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, value in {"contracts_of": lambda module: CONTRACT,
                            "read_design": lambda top: f"read_verilog -icells -sv {HERE / 'control.sv'}\nhierarchy -top {top}\nproc\n"}.items():
            self.addCleanup(setattr, equivalence, name, getattr(equivalence, name))
            setattr(equivalence, name, value)
        self.work = pathlib.Path(folder.name)

    def comparison(self, entries):
        """All mutants in one circuit; a memory of more than `entries` words is cut."""
        self.addCleanup(equivalence.CUT_ABOVE.pop, "control", None)
        equivalence.CUT_ABOVE["control"] = entries
        mutants = [f"mutate -ctrl mutant_i 8 {k} {text}" for k, text in enumerate(MUTANTS, 1)]
        comparison = equivalence.Comparison("control", "control", mutants, self.work)
        comparison.prepare([PAYLOAD, FLAG, CONTENT, ONLY_IDLE, UNUSED_CONTENT])
        return comparison

    def proofs(self, comparison, mutant):
        """Which of the ways prove that the mutant equals the original."""
        ways = (comparison.verdict_by_sweep, comparison.verdict_of, comparison.verdict_in_steps)
        return [way.__name__ for way in ways if way(mutant) == "equivalent"]

    def test_what_differs_is_not_proved(self):
        for entries in (16, 32):
            comparison = self.comparison(entries)
            for mutant in (PAYLOAD, FLAG, CONTENT):
                self.assertEqual(self.proofs(comparison, mutant), [], f"{MUTANTS[mutant - 1]}, cut above {entries}")

    def test_payload_without_flag_is_proved_in_every_way(self):
        self.assertEqual(self.proofs(self.comparison(16), ONLY_IDLE), ["verdict_by_sweep", "verdict_of", "verdict_in_steps"])

    def test_content_counts_only_where_the_memory_is_not_cut(self):
        self.assertEqual(self.proofs(self.comparison(16), UNUSED_CONTENT), [])
        self.assertIn("verdict_of", self.proofs(self.comparison(32), UNUSED_CONTENT))


if __name__ == "__main__":
    unittest.main()
