"""Proofs about mutants that a unit test does not notice (see mutation.py)."""
import hashlib
import json
import pathlib
import re

from aiger import negated, read_aiger, with_constant
from cuts import instance_cut_of, memory_cut_of, read_bits_of, source_of
from design import ROOT, call, read_design

EXPLAINED = pathlib.Path(__file__).with_name("explained.json")
CUT_MEMORY = pathlib.Path(__file__).with_name("cut_memory.v")
SPECS = ROOT / "tests" / "formal"
# Of CPU, so that no verdict depends on what else runs.
PROOF_SECONDS = 20
# Modules with a property in tests/formal that counts as a test: number of its cases.
PROPERTIES = {"loom_counters": 14}
# The only module with a memory of size; where it is an instance it is cut as a whole. In its own proof
# every lane keeps its write port: merged ones would differ between the copies.
MEMORY = "loom_sram_1r1w"
# Without -noblackbox an empty module keeps its default widths; a module is derived only below a top.
CUT_PORTS = """(* keep_hierarchy *)
module cut_memory #(parameter ReadBits = 1, parameter Others = 1) (
  input [Others-1:0] given_i,
  output [ReadBits-1:0] data_o
);
endmodule
module pair;
  gold_seen gold ();
  gate_seen gate ();
endmodule
"""
# Too large to be proved with what they instantiate.
CUT = ["loom_array", "loom_writeback"]
# Too large are only these of their instances. What is compared at their pins is what they read.
CUT_INSTANCES = {
    "loom_accelerator": ["loom_core", "loom_counters", "loom_weight_ring"],
    "loom_core": ["loom_activation_memory", "loom_array", "loom_im2col", "loom_window", "loom_writeback"],
}
# How signals that correspond are found, where another way than the usual gets further.
SWEEPS = {"loom_accelerator": "&scorr -c", "loom_core": "&scorr -c", "loom_im2col": "&fraig; &scorr"}
# A memory with more entries than this is cut, else it is proved with its content.
UNCUT_ENTRIES = 16
# The same for single modules.
CUT_ABOVE = {"loom_param_loader": 32}


def contracts_of(module):
    """What the inputs of a module can be and what is promised of its outputs."""
    return [item for item in json.loads(EXPLAINED.read_text())["contracts"] if item["module"] == module]


def ports_of(module, path):
    """(name, is input, bits) of the ports of a module in a JSON netlist of Yosys."""
    ports = json.loads(path.read_text())["modules"][module]["ports"]
    return [(name, p["direction"] == "input", len(p["bits"])) for name, p in ports.items()]


def wrapper_of(ports, inner, contract, mutant_port=False, mutant_pin=False):
    """A module that shows `inner` legal inputs only and of its outputs only what the contract promises."""
    bits_of = {name: bits for name, _, bits in ports}
    names, wires, body = [], [], []
    for name, is_input, bits in ports:
        names.append(f"  {'input' if is_input else 'output'} [{bits - 1}:0] {name if is_input else name + '__seen'}")
        wires.append(f"  wire [{bits - 1}:0] {name + '__legal' if is_input else name};")
        target, value = (f"{name}__legal", name) if is_input else (f"{name}__seen", name)
        for item in contract:
            if name in item["ports"] and "when" in item:
                flags = bits_of[item["when"]]
                masks = ", ".join(f"{{{bits // flags}{{{item['when']}[{i}]}}}}" for i in reversed(range(flags)))
                value = f"{value} & {{{masks}}}"
            elif name in item["ports"]:
                value = item["value"]
        body.append(f"  assign {target} = {value};")
    body += [f"  {item['declare']}" for item in contract if "declare" in item]
    pins = ", ".join(f".{name} ({name + '__legal' if is_input else name})" for name, is_input, _ in ports)
    if mutant_port:
        names.append("  input [7:0] mutant_i")
    if mutant_pin:
        pins += ", .mutant_i (mutant_i)"
    return "\n".join([f"module {inner}_seen (", ",\n".join(names), ");", *wires, f"  {inner} u ({pins});", *body,
                      "endmodule"]) + "\n"


def write_design(module, top, mutant, work):
    """Writes design.il, the design without mutants, and module.json, the module alone."""
    netlist = work / "module.json"
    if not netlist.exists():
        target = re.search(r"-module (\S+)", mutant)[1]
        script = work / "module.ys"
        script.write_text(f"{read_design(top)}write_rtlil {work / 'design.il'}\ncopy {target} gold\n"
                          f"write_json {netlist}\nopt_clean -purge\nwrite_json {work / 'purged.json'}\n")
        call(["yosys", "-q", "-s", script], work / "module.log", cwd=ROOT)
    return netlist


class Comparison:
    """The mutants of one module against its original.

    Both copies start with all registers 0. Large memories, and instances in the modules of CUT, are
    cut out: what they give is free and the same in both, what they are given must agree. One circuit
    holds all mutants to be compared; for each, the inputs that choose it become constants.
    """

    def __init__(self, module, top, mutants, work, seconds=PROOF_SECONDS):
        self.module, self.mutants, self.work, self.seconds = module, mutants, work, seconds
        self.contract = contracts_of(module)
        self.target = re.search(r"-module (\S+)", mutants[0])[1]
        netlist = write_design(module, top, mutants[0], work)
        self.ports = ports_of("gold", netlist)
        unknown = {name for item in self.contract for name in item["ports"]} - {p[0] for p in self.ports}
        if unknown:
            raise RuntimeError(f"{EXPLAINED.name}: {module} has no port {', '.join(unknown)}")
        self.memories = [name for name in json.loads(netlist.read_text())["modules"]
                         if module != MEMORY and source_of(name) in [MEMORY, *CUT_INSTANCES.get(module, [])]]
        self.cuts = "".join(self._cut_of(f"memory_{i}", name, netlist) for i, name in enumerate(self.memories))
        self.wrappers = work / "wrappers.v"
        self.design = (work / "design.il").read_text().partition("\n")[2]
        self.entries = CUT_ABOVE.get(module, UNCUT_ENTRIES)
        self.masked = {name for item in self.contract if "when" in item for name in item["ports"]}
        self.sweep = SWEEPS.get(module, "&lcorr -C 100000; &scorr -C 10000")
        self.circuit, self.split, self.chosen = None, None, []

    def _cut_of(self, cut, name, netlist):
        ports = ports_of(name, netlist)
        if source_of(name) == MEMORY:
            return memory_cut_of(cut, ports)
        purged = json.loads((self.work / "purged.json").read_text())["modules"]
        return instance_cut_of(cut, ports, read_bits_of(purged, name, {}))

    def _texts(self, mutations, mutant_port, miter, options=""):
        """The wrappers and the script that writes the miter of the original and the copy with `mutations`."""
        wrappers = (wrapper_of(self.ports, "gold", self.contract, mutant_port) +
                    wrapper_of(self.ports, "gate", self.contract, mutant_port, mutant_port) + self.cuts + CUT_PORTS)
        keep = "setattr -mod -set keep_hierarchy 1 *\nsetattr -mod -unset keep_hierarchy gold gate gold_seen gate_seen\n"
        target, memories = self.target, self.memories
        script = (
            f"read_rtlil {self.work / 'design.il'}\ncopy {target} gate\ncopy {target} gold\n" +
            mutations.replace(f"-module {target}", "-module gate") + "".join(f"\ndelete {name}" for name in memories) +
            f"\nread_verilog -noblackbox {self.wrappers}\n" +
            "".join(f"rename memory_{i} {name}\n" for i, name in enumerate(memories)) + "proc\n"
            f"{keep if self.module in CUT else ''}flatten gold_seen gate_seen\nsetattr -mod -unset keep_hierarchy *\n"
            f"select gold_seen gate_seen\n{'memory_dff; memory_collect' if self.module == MEMORY else 'memory -nomap'}\n"
            f"select gold_seen/r:SIZE>{self.entries} gate_seen/r:SIZE>{self.entries}\ntechmap -map {CUT_MEMORY}\n"
            "select gold_seen gate_seen\nmemory_map\nsetundef -zero\nopt_expr\nopt_clean\nselect -clear\nsetattr -mod -unset top *\nhierarchy -check -top pair\n"
            "select -set inner gold_seen/t:$* gold_seen/t:$paramod* %d gate_seen/t:$* gate_seen/t:$paramod* %d %u\n"
            "expose -evert gold_seen/c:* gate_seen/c:* %u @inner %d\n"
            f"select -clear\nasync2sync gold_seen gate_seen\nmiter -equiv{options} -flatten gold_seen gate_seen miter\n"
            "hierarchy -top miter\ndffunmap\nopt_expr\nopt_clean\nsetundef -undriven -init -zero\ntechmap\nopt_expr\nopt_clean\n"
            "setundef -undriven -zero\n"
            f"aigmap\nclean\nwrite_aiger {miter}\n"
        )
        return wrappers, script

    def digest_of(self, k):
        """Digest of every text in the proof about mutant `k`, as it is when that mutant is alone."""
        bare = re.sub(r"-ctrl mutant_i 8 \d+ ", "", self.mutants[k - 1])
        wrappers, script = self._texts(bare, False, f"-zinit {self.work / 'miter.aig'}")
        whole = "\0".join([self.design, wrappers, CUT_MEMORY.read_text(), script])
        return hashlib.sha256(whole.replace(str(self.work), "").replace(str(ROOT), "").encode()).hexdigest()[:20]

    def _circuit_of(self, name, options=""):
        """The circuit of the miter with the mutants chosen."""
        mutations = "\n".join(self.mutants[k - 1] for k in self.chosen)
        path = self.work / f"{name}.aig"
        wrappers, script = self._texts(mutations, True, f"-symbols -zinit {path}", options)
        self.wrappers.write_text(wrappers)
        (self.work / f"{name}.ys").write_text(script)
        call(["yosys", "-q", "-s", self.work / f"{name}.ys"], self.work / f"{name}.log", cwd=ROOT)
        return read_aiger(path)

    def prepare(self, chosen):
        """Makes the circuit with the mutants `chosen`."""
        self.chosen, self.split = chosen, None
        self.circuit = self._circuit_of("miter")

    def _file_of(self, name, circuit, k, **outputs):
        """The file of a circuit with mutant `k`."""
        if k not in self.chosen:
            raise RuntimeError(f"{self.module}: mutant {k} is not in the circuit")
        path = self.work / f"{name}.aig"
        path.write_bytes(with_constant(circuit, "in_mutant_i", k, **outputs))
        return path

    def _abc(self, commands, prove="pdr"):
        """What ABC says about a miter: equivalent, different or open."""
        if not call(["yosys-abc", "-c", f"{commands}; {prove}; print_status"], self.work / "abc.log", cwd=self.work,
                    cpu_seconds=self.seconds):
            return "open"
        text = (self.work / "abc.log").read_text()
        if "Property proved" in text or "Networks are equivalent" in text:
            return "equivalent"
        return "different" if "was asserted in frame" in text else "open"

    def verdict_by_sweep(self, k):
        """Whether mutant `k` has the same outputs because its signals correspond to the original's: equivalent or open."""
        swept = self.work / f"swept_{k}.aig"
        swept.unlink(missing_ok=True)
        sweep = f"&r {self._file_of('mutant', self.circuit, k)}; &scl; {self.sweep}; &w {swept}; &put"
        # A constant output is reported as proved after the first frame.
        return "equivalent" if self._abc(sweep, "pdr -F 3") == "equivalent" else "open"

    def verdict_of(self, k):
        """Whether mutant `k` can have other outputs: equivalent, different, open."""
        swept = self.work / f"swept_{k}.aig"
        return self._abc(f"&r {swept if swept.exists() else self._file_of('mutant', self.circuit, k)}; &put")

    def verdict_in_steps(self, k):
        """Whether first the flags agree and then, while they do, what the contract masks by them: equivalent or open."""
        if not self.masked:
            return "open"
        self.split = self.split or self._circuit_of("split", " -make_outcmp")
        agree = {name: literal for name, literal in self.split["outputs"].items() if name != "trigger"}
        masked = {f"cmp_{name}__seen" for name in self.masked}
        flags = [literal for name, literal in agree.items() if name not in masked]
        values = [literal for name, literal in agree.items() if name in masked]
        path = self._file_of("flags", self.split, k, outputs=negated(flags))
        if self._abc(f"&r {path}; &scl; {self.sweep}; &put; orpos") != "equivalent":
            return "open"
        path = self._file_of("values", self.split, k, outputs=negated(values), given=flags)
        return "equivalent" if self._abc(f"read {path}; scorr -c; fold; orpos") == "equivalent" else "open"


def is_refuted(module, top, mutant, work):
    """Whether the property of tests/formal about this module has a counterexample in the mutant."""
    stem = module.removeprefix("loom_")
    write_design(module, top, mutant, work)
    lines = [f"read_rtlil {work / 'design.il'}", re.sub(r"-ctrl mutant_i 8 \d+ ", "", mutant),
             f"read_verilog -sv {SPECS / f'{stem}_spec.sv'}", "design -save read"]
    for case in range(PROPERTIES[module]):
        lines += ["design -load read", f"chparam -set Watched {case} {stem}_proof", f"hierarchy -check -top {stem}_proof",
                  "proc", "memory -nomap", "memory_map", "flatten", "async2sync", "opt_expr", "opt_clean",
                  "sat -seq 2 -prove-skip 1 -prove bad_o 0"]
    path = work / "property.ys"
    path.write_text("\n".join(lines) + "\n")
    call(["yosys", "-s", path], work / "property.log", cwd=ROOT)
    results = re.findall(r"SAT proof finished - (no model found: SUCCESS|model found: FAIL)",
                         (work / "property.log").read_text())
    if len(results) != PROPERTIES[module]:
        raise RuntimeError(f"{work / 'property.log'}: {len(results)} results, wanted {PROPERTIES[module]}")
    return "model found: FAIL" in results
