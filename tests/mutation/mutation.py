"""Mutation score of the RTL unit tests.

usage: mutation.py [--mutants N] [--seed S] [--jobs J] [--work DIR] [--build DIR] [--minimum PERCENT]
                   [--report FILE] [--record] [--recorded] [--prove-all] [--no-proof] [--proof-seconds N] [MODULE...]

For every module of rtl/lib: Yosys makes N mutants of its netlist (a stuck, inverted or swapped bit
at a cell's port), all in one netlist, chosen by the input `mutant_i`; Verilator compiles it with
the sources of what the module instantiates; the
module's own unit test runs once per mutant and either notices (killed) or not. What it does not
notice is tried with the module's property of tests/formal, if it has one there (refuted). The rest
is compared with the original by model checking (ABC): `equivalent` if no input that the module's
contract in explained.json allows can ever tell them apart. Proofs recorded in proved.json are not
repeated as long as every text in them is the same. The others must be listed, with the reason, in
explained.json; they count as alive all the same:

  score = (killed + refuted) / (mutants - equivalent)

Exit 1 if a survivor is neither equivalent nor listed, if a listed mutant of a module that ran is
killed, if a mutant that the test notices is proved equivalent, or if the score is below the
minimum. DIR of --build holds the archives of the stages that the test of the accelerator links.
"""
import argparse
import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time

from design import LIBRARY, ROOT, call, cpu_seconds_of_thread, modules_of_library, read_design
from equivalence import EXPLAINED, PROOF_SECONDS, PROPERTIES, Comparison, is_refuted

TESTS = ROOT / "tests" / "rtl"
PROVED = pathlib.Path(__file__).with_name("proved.json")
# Modules that are tested inside another one.
TOPS = {"loom_core": "loom_accelerator"}
# Archives of the stages, dependents first.
ARCHIVES = ["sim/libmacloom_sim.a", "golden/libmacloom_golden.a", "stimulus/libmacloom_stimulus.a", "rtl/gen/libmacloom_rtl_gen.a", "arch/libmacloom_arch.a", "ir/libmacloom_ir.a",
            "base/libmacloom_base.a"]
# Yosys stops at a memory with two clocks or a switched asynchronous port.
UNUSABLE = re.compile(r"-port (CLK|RD_CLK|WR_CLK) |-cell \S*memrd\S* -port (EN|ARST|SRST) ")


def make_netlist(module, top, args, work):
    """Writes netlist.v with all mutants; returns their descriptions, index 0 = mutant 1."""
    listing = work / "mutants.txt"
    pattern = module if module == top else f"*{module}*"
    # More are drawn, the first N usable ones stay.
    (work / "list.ys").write_text(
        f"{read_design(top)}mutate -list {2 * args.mutants} -seed {args.seed} -ctrl mutant_i 8 1 -o {listing} {pattern}\n")
    call(["yosys", "-q", "-s", work / "list.ys"], work / "list.log", cwd=ROOT)
    lines = [line for line in listing.read_text().splitlines()
             if line.startswith("mutate") and not UNUSABLE.search(line)]
    mutants = [re.sub(r"-ctrl mutant_i 8 \d+", f"-ctrl mutant_i 8 {k}", line)
               for k, line in enumerate(lines[:args.mutants], 1)]
    if len(mutants) < args.mutants:
        raise RuntimeError(f"{module}: only {len(mutants)} mutants, wanted {args.mutants}")
    listing.write_text("\n".join(mutants) + "\n")
    mutated = module if module == top else f"*{module} {top}"
    (work / "make.ys").write_text(
        f"{read_design(top)}write_json {work / 'all.json'}\nscript {listing}\nselect {mutated}\n"
        # Vectors are cut by driver, or the accelerator hangs in Verilator 5.006 without a mutant.
        f"splitnets -driver\nwrite_verilog -noattr -selected {work / 'netlist.v'}\n")
    call(["yosys", "-q", "-s", work / "make.ys"], work / "make_netlist.log", cwd=ROOT)
    others = [(name, m) for name, m in json.loads((work / "all.json").read_text())["modules"].items()
              if name.split("\\")[-1] not in (module, top) and name.startswith("$")]
    (work / "others.v").write_text("".join(bridge_of(name, m) for name, m in others))
    return mutants


def bridge_of(name, module):
    """A module with the name that Yosys gives an instance with parameters, made of the source's module."""
    source = name.split("\\")[-1] if name.startswith("$paramod$") else name.split("\\")[1]
    values = module["parameter_default_values"]
    parameters = ", ".join(f".{p} ({len(v)}'h{int(v, 2):x})" for p, v in values.items())
    ports = ",\n".join(f"  {p['direction']} [{len(p['bits']) - 1}:0] {port}" for port, p in module["ports"].items())
    pins = ", ".join(f".{port} ({port})" for port in module["ports"])
    return f"module \\{name} (\n{ports}\n);\n  {source} #({parameters}) u ({pins});\nendmodule\n"


def build(top, work):
    prefix = f"V{top}_mux"
    call(["verilator", "--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "-Wno-fatal", "-Wno-lint",
          "-Wno-UNOPTFLAT", "-Wno-MULTITOP", "--prefix", prefix, "--top-module", top, "--Mdir", work / "model",
          "--noassert", "-y", LIBRARY, LIBRARY / "loom_pkg.sv", LIBRARY / "loom_desc_pkg.sv", work / "netlist.v",
          work / "others.v"], work / "verilator.log")
    call(["make", "-s", "-C", work / "model", "-f", f"{prefix}.mk", "OPT_FAST=-O1",
          f"CXX={compiler()}", f"{prefix}__ALL.a", "verilated.o",
          "verilated_threads.o"], work / "make.log")


def test_text(test):
    """The text of a test with the headers beside it."""
    texts = [test.read_text()]
    texts += [(ROOT / name).read_text() for name in re.findall(r'^#include "(tests/rtl/[\w.]+)"$', texts[0], re.M)]
    return "\n".join(texts)


def verilate_units(test, work):
    """The sets of units (tests/rtl/units) that a test includes: their folders and archives."""
    folders, archives = [], []
    for name in re.findall(r'^#include "V(\w+)\.h"$', test.read_text(), re.M):
        unit = TESTS / "units" / f"{name}.sv"
        if not unit.exists():
            continue
        folder = work / name
        call(["verilator", "--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "-y", LIBRARY,
              "--prefix", f"V{name}", "--top-module", name, "--Mdir", folder, ROOT / "rtl" / "lint" / "loom.vlt",
              LIBRARY / "loom_pkg.sv", LIBRARY / "loom_desc_pkg.sv", unit], work / f"{name}.log")
        call(["make", "-s", "-C", folder, "-f", f"V{name}.mk", "OPT_FAST=-O1", f"CXX={compiler()}", f"V{name}__ALL.a"],
             work / f"{name}_make.log")
        folders += ["-I", folder]
        archives.append(folder / f"V{name}__ALL.a")
    return folders, archives


def compiler():
    return "ccache g++" if shutil.which("ccache") else "g++"


def link(top, args, work):
    include = subprocess.run(["verilator", "--getenv", "VERILATOR_ROOT"], capture_output=True, text=True).stdout.strip()
    model = work / "model"
    uses_stages = top == "loom_accelerator" or '#include "golden/' in test_text(TESTS / f"{top}_test.cc")
    libraries = [args.build / a for a in ARCHIVES[0 if uses_stages else -1:]]
    missing = [str(p) for p in libraries if not p.exists()]
    if missing:
        raise RuntimeError(f"not built: {', '.join(missing)}; build the targets macloom_base, macloom_golden, macloom_sim and macloom_stimulus first")
    folders, archives = verilate_units(TESTS / f"{top}_test.cc", work)
    call(["g++", "-std=c++20", "-O1", f"-DMACLOOM_MUTATION_COUNT={args.mutants}", "-DFMT_SHARED", "-I", ROOT, "-I", model,
          "-I", TESTS / "harness", *folders, "-isystem", f"{include}/include", TESTS / f"{top}_test.cc",
          model / f"V{top}_mux__ALL.a", *archives, model / "verilated.o", model / "verilated_threads.o", "-Wl,--start-group",
          *libraries, "-Wl,--end-group", "-lgtest", "-lgtest_main", "-lfmt", "-lcrypto", "-lz", "-larchive", "-ldl",
          "-pthread", "-o", work / "test"], work / "link.log")


def survivors_of(work):
    call([work / "test", "--gtest_filter=*Mutants*"], work / "test.log", cwd=work)
    text = (work / "test.log").read_text()
    found = re.findall(r"^survivors:(.*)$", text, re.M)
    if not found:
        raise RuntimeError(f"{work / 'test.log'}: no list of survivors")
    return sorted({int(k) for line in found for k in line.split()})


def place(mutant):
    mode = re.search(r"-mode (\S+)", mutant)[1]
    port = re.search(r"-port (\S+)", mutant)
    bit = re.search(r"-portbit (\S+)", mutant)
    cell = re.search(r"-cell (\S+)", mutant)
    wire = re.search(r"-wire (\S+)", mutant)
    lines = re.findall(r"-src (\S+)", mutant)
    name = cell[1].lstrip("\\") if cell else ""
    kind = name.split("$")[1] if "$" in name else name
    source = lines[-1].strip('"') if lines else ""
    file, _, at = source.partition(":")
    text = (ROOT / file).read_text().splitlines()[int(at.split(".")[0]) - 1].strip() if at else ""
    wire_name = wire[1].lstrip("\\") if wire else ""
    return {
        "mode": mode, "cell": kind, "port": f"{port[1].lstrip(chr(92))}[{bit[1]}]" if port else "",
        # A name that Yosys made up has a number that changes with any line.
        "wire": "" if wire_name.startswith("$") else wire_name, "source": source, "text": text,
    }


def key_of(module, survivor):
    """What identifies a mutant after lines have moved: its place by the text of the source line."""
    return (module, survivor["mode"], survivor["cell"], survivor["port"], survivor["wire"], survivor["text"])


def score(module, args, explained, proved):
    begin, spent = time.time(), cpu_seconds_of_thread()
    top = TOPS.get(module, module)
    work = args.work / module
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    mutants = make_netlist(module, top, args, work)
    build(top, work)
    link(top, args, work)
    result = {"module": module, "mutants": len(mutants), "refuted": 0, "equivalent": 0, "survivors": [], "digests": []}
    alive = survivors_of(work)
    survivors = []
    for k in alive:
        if module in PROPERTIES and is_refuted(module, top, mutants[k - 1], work):
            result["refuted"] += 1
            continue
        survivor = {"mutant": k, **place(mutants[k - 1]), "verdict": "open"}
        survivor["reason"] = explained.get(key_of(module, survivor))
        survivors.append(survivor)
    tried = [s for s in survivors if not args.no_proof and (s["reason"] is None or args.prove_all)]
    if tried:
        prove(module, top, mutants, alive, tried, args, proved, work)
    result["digests"] = [s["digest"] for s in tried if s["verdict"] == "equivalent"]
    result["equivalent"] = len(result["digests"])
    result["survivors"] = [s for s in survivors if s["verdict"] != "equivalent"]
    result["seconds"] = round(time.time() - begin, 1)
    result["cpu_seconds"] = round(cpu_seconds_of_thread() - spent, 1)
    return result


def prove(module, top, mutants, alive, tried, args, proved, work):
    """Sets the verdict and the digest of the survivors `tried`.

    With every proof that is made, mutants that the test notices are tried as well: the first, a
    middle and the last one must not be equivalent.
    """
    comparison = Comparison(module, top, mutants, work, args.proof_seconds)
    for survivor in tried:
        survivor["digest"] = comparison.digest_of(survivor["mutant"])
        if survivor["digest"] in proved:
            survivor["verdict"] = "equivalent"
    left = [s for s in tried if s["verdict"] != "equivalent"]
    if not left or args.recorded:
        return
    killed = [k for k in range(1, len(mutants) + 1) if k not in alive]
    controls = sorted({killed[i] for i in (0, len(killed) // 2, -1)}) if killed else []
    comparison.prepare([*controls, *(s["mutant"] for s in left)])
    for proof in (comparison.verdict_by_sweep, comparison.verdict_of, comparison.verdict_in_steps):
        left = [s for s in left if s["verdict"] == "open"]
        for k in controls if left else []:
            if proof(k) == "equivalent":
                raise RuntimeError(f"{module}: mutant {k}, which the test notices, is proved equivalent")
        for survivor in left:
            survivor["verdict"] = proof(survivor["mutant"])


def read_explained():
    entries = json.loads(EXPLAINED.read_text())["survivors"]
    fields = ("module", "mode", "cell", "port", "wire", "text")
    return {tuple(entry[f] for f in fields): entry["reason"] for entry in entries}


def weight_of(module):
    """Share of the time: lines of the module, for a whole accelerator of all of them."""
    top = TOPS.get(module, module)
    files = LIBRARY.glob("*.sv") if top == "loom_accelerator" else [LIBRARY / f"{module}.sv"]
    return sum(len(p.read_text().splitlines()) for p in files)


def run_all(names, args, explained, proved):
    results = []
    failures = []
    begin = time.time()
    weight = {m: weight_of(m) for m in names}
    print(f"{'module':24} {HEADING} {'done':>7} {'ETA s':>6}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        # The longest first, or the last one would run alone.
        waiting = {pool.submit(score, m, args, explained, proved): m for m in sorted(names, key=weight.get, reverse=True)}
        for future in concurrent.futures.as_completed(waiting):
            try:
                results.append(future.result())
            except RuntimeError as error:
                failures.append(f"{waiting[future]}: {error}")
                print(f"{waiting[future]:24} failed", flush=True)
                continue
            done = sum(weight[r["module"]] for r in results)
            eta = (time.time() - begin) * (sum(weight.values()) - done) / done
            print(f"{row(results[-1])} {len(results):3}/{len(names):<3} {eta:6.0f}", flush=True)
    return sorted(results, key=lambda r: r["module"]), failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--mutants", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("mutation"))
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--minimum", type=float, default=98.0, help="exit 1 below this score in percent")
    parser.add_argument("--prove-all", action="store_true", help="try to prove the listed survivors, too")
    parser.add_argument("--recorded", action="store_true", help="make no proof that is not recorded")
    parser.add_argument("--record", action="store_true", help="write proved.json")
    parser.add_argument("--proof-seconds", type=int, default=PROOF_SECONDS, help="CPU seconds of one proof")
    parser.add_argument("--no-proof", action="store_true", help="prove no survivor equivalent")
    args = parser.parse_args()
    if not 1 <= args.mutants <= 255:
        parser.error(f"--mutants: {args.mutants} given; accepted are 1 to 255")
    if not 1 <= args.jobs <= 64:
        parser.error(f"--jobs: {args.jobs} given; accepted are 1 to 64")
    if not 1 <= args.proof_seconds <= 3600:
        parser.error(f"--proof-seconds: {args.proof_seconds} given; accepted are 1 to 3600")
    args.work = args.work.resolve()
    known = modules_of_library()
    for module in args.modules:
        if module not in known:
            parser.error(f"module `{module}` is not in rtl/lib; known are {', '.join(known)}")
    names = args.modules or known
    explained = read_explained()
    begin = time.time()
    proved = set() if args.prove_all else set(sum(json.loads(PROVED.read_text())["proved"].values(), []))
    results, failures = run_all(names, args, explained, proved)
    if args.record:
        record(results)
    total = {"module": "total", "mutants": sum(r["mutants"] for r in results),
             "refuted": sum(r["refuted"] for r in results),
             "equivalent": sum(r["equivalent"] for r in results),
             "survivors": [s for r in results for s in r["survivors"]], "seconds": round(time.time() - begin, 1),
             "cpu_seconds": round(sum(r["cpu_seconds"] for r in results), 1)}
    print(f"\n{'module':24} {HEADING}")
    for result in [*results, total]:
        print(row(result))
    problems = failures + problems_of(results, explained, args)
    overall = percent_of(total)
    if overall < args.minimum:
        problems.append(f"score {overall:.2f} % is below {args.minimum:g} %")
    if args.report:
        args.report.write_text(json.dumps({"format": "macloom.mutation", "version": 1, "seed": args.seed,
                                           "score_percent": round(overall, 2), "modules": results}, indent=1) + "\n")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def record(results):
    """Puts the proofs of these results in the place of the former ones of their modules."""
    kept = json.loads(PROVED.read_text())
    kept["proved"].update({r["module"]: sorted(set(r["digests"])) for r in results})
    kept["proved"] = {m: digests for m, digests in sorted(kept["proved"].items()) if digests}
    PROVED.write_text(json.dumps(kept, indent=1) + "\n")


def problems_of(results, explained, args):
    problems = []
    seen = set()
    for result in results:
        for s in result["survivors"]:
            seen.add(key_of(result["module"], s))
            if s["reason"] is None:
                problems.append(f"new survivor ({s['verdict']}): {result['module']} mutant {s['mutant']}: {s['mode']} {s['cell']} "
                                f"{s['port']} {s['wire']} {s['source']}: {s['text']}")
    # The list belongs to the default choice of mutants.
    if (args.mutants, args.seed, args.prove_all) == (120, 1, False):
        ran = {r["module"] for r in results}
        problems += [f"listed but not alive: {' '.join(key)}" for key in explained if key[0] in ran and key not in seen]
    return problems


HEADING = f"{'mutants':>7} {'killed':>6} {'refuted':>7} {'equivalent':>10} {'survivors':>9} {'score %':>8} {'CPU s':>6} {'s':>6}"


def percent_of(result):
    counted = result["mutants"] - result["equivalent"]
    return 100.0 * (counted - len(result["survivors"])) / counted if counted else 100.0


def row(result):
    killed = result["mutants"] - result["refuted"] - result["equivalent"] - len(result["survivors"])
    return (f"{result['module']:24} {result['mutants']:7} {killed:6} {result['refuted']:7} {result['equivalent']:10} "
            f"{len(result['survivors']):9} {percent_of(result):8.2f} {result['cpu_seconds']:6} {result['seconds']:6}")


if __name__ == "__main__":
    sys.exit(main())
