"""Formal proofs of the arithmetic modules of the RTL library, and their refutations.

usage: formal.py [--jobs J] [--work DIR] [--report FILE] [PROPERTY...]

Every property is a SystemVerilog module of this folder: the module under proof, the same value from
its definition in wide arithmetic, and an output `bad_o`. Yosys' SAT solver shows that `bad_o` is 0
for all inputs, shift by shift where there is one. To show that a proof can fail, each property is
then tried with altered copies of the module, and each must be refuted by a counterexample.

Lanes: registers become wires (the unit tests check the latency cycle by cycle), and the product is
free within its range, so that what follows it is proved for every product; that the operands reach
the multiplication is a property of its own. Row and counters: two clock cycles from any state.

Exit 1 if a property is not proved or an altered copy is not refuted.
"""
import argparse
import concurrent.futures
import json
import pathlib
import re
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "rtl" / "lib"
SPECS = ROOT / "tests" / "formal"
CPU_SECONDS = 600
# Shifts of one run of Yosys.
CHUNK = 16

WIRES = """module \\$dff (CLK, D, Q);
  parameter WIDTH = 0;
  parameter CLK_POLARITY = 1'b1;
  input CLK;
  input [WIDTH-1:0] D;
  output [WIDTH-1:0] Q;
  assign Q = D;
endmodule
"""

# name: module, parameter and its value, cases (shifts; row: accumulators), alterations (case, text,
# replacement).
PROPERTIES = {
    "requant_lane double": ("requant_lane", "Mode", 0, range(-31, 8), [
        (-5, "threshold = (mask >> 1) + 32'(high_q3[31])", "threshold = (mask >> 1)"),
        (3, "? (shifted + ProductWidth'(1)) >>> 1", "? shifted >>> 1")]),
    "requant_lane single": ("requant_lane", "Mode", 1, range(-31, 8), [
        (-5, "shift_q1 <= 6'(LastBit - shift_i);\n      default",
         "shift_q1 <= 6'(LastBit - 8'sd1 - shift_i);\n      default"),
        (-20, "is_low ? clamp_min_q4 : is_high", "is_high")]),
    "requant_lane mean": ("requant_lane", "Mode", 2, range(0, 63), [
        (40, "(negate_q3 ? -divided : divided)", "divided"),
        (31, "zero_q1 <= is_mean ? 8'sd0 : zero_i", "zero_q1 <= zero_i")]),
    "requant_lane operands": ("requant_lane", "Mode", 3, [0], [
        (0, "(x_wide < 0 ? -x_wide : x_wide)", "x_wide"),
        (0, "multiplier_q1 <= multiplier_i[MultWidth-1:0]", "multiplier_q1 <= multiplier_i[MultWidth-2:0]")]),
    "shift_lane single": ("shift_lane", "Mode", 1, range(-30, 2), [
        (-7, "5'(8'sd1 - shift_i)", "5'(-shift_i)"),
        (-7, "value_q1 > 34'(clamp_max_q1)", "value_q1 >= 34'(clamp_max_q1)")]),
    "shift_lane mean": ("shift_lane", "Mode", 2, range(0, 32), [
        (4, "(is_mean ? 34'sd0 : 34'sd1)) >>> 1", "34'sd1) >>> 1"),
        (4, "(is_mean ? 34'sd0 : 34'(zero_i))", "34'(zero_i)")]),
    "add_lane double": ("add_lane", "Mode", 0, range(-31, 1), [
        (-3, "(mask >> 1) + 32'(high[31])", "(mask >> 1)"),
        (0, "(shifted + 41'sd1) >>> 1", "shifted >>> 1")]),
    "add_lane single": ("add_lane", "Mode", 1, range(-31, 1), [
        (-3, "single_i ? 5'd0 : right", "right"),
        (-8, "difference_a_q1, 19'd0}", "difference_a_q1, 19'd1}")]),
    "add_lane operands": ("add_lane", "Mode", 2, [0], [
        (0, "- 9'(zero_b_i)", "+ 9'(zero_b_i)")]),
    "row dense step": ("row", "Depthwise", 0, [0, 7, 15], [
        (7, "exact[ExactWidth-1] ? ~largest : largest", "exact[AccWidth-1] ? ~largest : largest"),
        (7, "shadow_q[shadow_entry_i] <= dense", "shadow_q[entry_i] <= dense"),
        (7, "event_bit = wrapped != exact", "event_bit = wrapped[AccWidth-1:1] != exact[AccWidth-1:1]")]),
    "row maximum step": ("row", "Depthwise", 2, [0, 7, 15], [
        (0, "first_i || lane_code[l] > acc_q[l] ?", "first_i && lane_code[l] > acc_q[l] ?"),
        (15, "signed'(product_q[l][ActBits-1:0])", "product_q[l][ActBits-1:0]")]),
    "row depthwise step": ("row", "Depthwise", 1, [0, 7, 15], [
        (7, "({AccWidth{1'b1}} >> 1) >> narrow", "(({AccWidth{1'b1}} >> 1) >> narrow) & ~AccWidth'(1)"),
        (7, "drop = 6'(ExactWidth - AccWidth) + narrow", "drop = 6'(ExactWidth - AccWidth - 1) + narrow")]),
    "counters step": ("counters", None, None, range(14), [
        (8, "count_q[8] + 64'(macs_i)", "64'(count_q[8][62:0]) + 64'(macs_i)"),
        (7, "count_q[7] <= count_q[7] + 64'd1", "count_q[7] <= count_q[7] + 64'd2")]),
}
# Properties of one clock cycle from any state, case by case of `Watched`.
STEPS = ["counters", "row"]


def integer(value):
    """A signed parameter value as Yosys reads it: `-5` is refused."""
    return f"32'sb{value & 0xFFFFFFFF:032b}"


def script_of(name, shifts, source, work):
    """Proves the property for each shift; `PROOF shift` goes before each result in the log."""
    stem, parameter, value, _, _ = PROPERTIES[name]
    top = f"{stem}_proof"
    lines = [f"read_verilog -sv {LIBRARY / 'loom_pkg.sv'} {source} {SPECS / f'{stem}_spec.sv'}", "design -save read"]
    for shift in shifts:
        lines.append("design -load read")
        if parameter:
            lines.append(f"chparam -set {parameter} {integer(value)} {top}")
        lines.append(f"chparam -set {'Watched' if stem in STEPS else 'Shift'} {integer(shift)} {top}")
        lines += [f"hierarchy -check -top {top}", "proc"]
        if stem in STEPS:
            # Without opt_dff, which would replace registers that are never loaded here by constants.
            lines += ["memory -nomap", "memory_map", "flatten", "async2sync", "opt_expr", "opt_merge",
                      "opt_muxtree", "opt_reduce", "opt_merge", "opt_expr", "opt_clean", "check -assert",
                      f"log PROOF {shift}", "sat -seq 2 -prove-skip 1 -prove bad_o 0"]
        else:
            lines += [f"cutpoint loom_{stem}/t:$mul", "flatten", "opt", f"techmap -map {work / 'wires.v'}", "opt",
                      "check -assert", f"log PROOF {shift}", "sat -prove bad_o 0"]
    return "\n".join(lines) + "\n"


def results_of(name, shifts, source, tag, work):
    """{shift: True if proved, False if refuted}, and the CPU seconds."""
    stem = re.sub(r"\W+", "_", f"{name} {tag}")
    script = work / f"{stem}.ys"
    script.write_text(script_of(name, shifts, source, work))

    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))

    log = work / f"{stem}.log"
    with open(log, "w") as out:
        run = subprocess.run(["yosys", "-s", str(script)], stdout=out, stderr=subprocess.STDOUT, preexec_fn=limit)
    text = log.read_text()
    found = dict(re.findall(r"^PROOF (\S+)$.*?SAT proof finished - (no model found: SUCCESS|model found: FAIL)", text,
                            re.M | re.S))
    missing = [s for s in shifts if str(s) not in found]
    if run.returncode != 0 or missing:
        tail = "\n".join(text.splitlines()[-10:])
        raise RuntimeError(f"{log}: no result for shift {missing} (exit {run.returncode})\n{tail}")
    seconds = sum(float(s) for s in re.findall(r"CPU: user ([\d.]+)s", text))
    return {s: found[str(s)].startswith("no model") for s in shifts}, seconds


def altered(name, index, work):
    stem, _, _, _, alterations = PROPERTIES[name]
    _, old, new = alterations[index]
    text = (LIBRARY / f"loom_{stem}.sv").read_text()
    if text.count(old) != 1:
        raise RuntimeError(f"{name}: `{old}` occurs {text.count(old)} times in loom_{stem}.sv, wanted once")
    path = work / f"{re.sub(r'[^a-z]+', '_', name)}_{index}.sv"
    path.write_text(text.replace(old, new))
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("properties", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("formal"))
    parser.add_argument("--report", type=pathlib.Path)
    args = parser.parse_args()
    for name in args.properties:
        if name not in PROPERTIES:
            parser.error(f"property `{name}` is not known; known are {', '.join(PROPERTIES)}")
    if not 1 <= args.jobs <= 64:
        parser.error(f"--jobs: {args.jobs} given; accepted are 1 to 64")
    names = args.properties or list(PROPERTIES)
    work = args.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    (work / "wires.v").write_text(WIRES)
    begin = time.time()
    rows = []
    failures = []
    print(f"{'property':22} {'cases':>6} {'proved':>6} {'altered':>8} {'refuted':>8} {'CPU s':>7}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        tasks = {}
        for name in names:
            stem, _, _, shifts, alterations = PROPERTIES[name]
            chunks = [list(shifts)[i:i + CHUNK] for i in range(0, len(shifts), CHUNK)]
            source = LIBRARY / f"loom_{stem}.sv"
            proofs = [pool.submit(results_of, name, c, source, f"proof {i}", work) for i, c in enumerate(chunks)]
            trials = [pool.submit(results_of, name, [a[0]], altered(name, i, work), f"altered {i}", work)
                      for i, a in enumerate(alterations)]
            tasks[name] = (proofs, trials)
        for name, (proofs, trials) in tasks.items():
            proved = {s: ok for p in proofs for s, ok in p.result()[0].items()}
            refuted = [not all(t.result()[0].values()) for t in trials]
            failures += [f"{name}: not proved for shift {s}" for s, ok in proved.items() if not ok]
            failures += [f"{name}: alteration {i} is not refuted" for i, ok in enumerate(refuted) if not ok]
            seconds = sum(p.result()[1] for p in [*proofs, *trials])
            rows.append({"property": name, "cases": len(proved), "proved": sum(proved.values()),
                         "altered": len(refuted), "refuted": sum(refuted), "cpu_seconds": round(seconds, 1)})
            print(f"{name:22} {len(proved):6} {sum(proved.values()):6} {len(refuted):8} {sum(refuted):8} "
                  f"{seconds:7.1f}", flush=True)
    print(f"{len(rows)} properties, {sum(r['cpu_seconds'] for r in rows):.0f} CPU s, {time.time() - begin:.0f} s")
    if args.report:
        args.report.write_text(json.dumps({"format": "macloom.formal", "version": 1, "properties": rows}, indent=1) + "\n")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
