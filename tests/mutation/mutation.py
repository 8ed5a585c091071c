"""Mutation score of the RTL unit tests.

usage: mutation.py [--mutants N] [--seed S] [--jobs J] [--work DIR] [--report FILE] [MODULE...]

For every module: Yosys makes N mutants of its netlist (a stuck, inverted or swapped bit at a cell's
port), all in one netlist, chosen by the input `mutant_i`; Verilator compiles it; the module's own
unit test runs once per mutant and either notices (killed) or not (survivor). Survivors are compared
with the original by Yosys's induction: `equivalent` if no input can ever tell them apart.

The report (JSON and a table on the terminal) lists every survivor that is not proved equivalent
with its place in the source.
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

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "rtl" / "lib"
TESTS = ROOT / "tests" / "rtl"
# Modules that are tested inside another one.
TOPS = {"loom_core": "loom_accelerator"}
EQUIVALENCE_SECONDS = 60


def sources():
    packages = [LIBRARY / "loom_pkg.sv", LIBRARY / "loom_desc_pkg.sv"]
    return packages + sorted(p for p in LIBRARY.glob("*.sv") if p not in packages)


def call(command, log, cwd=None, timeout=None):
    with open(log, "w") as out:
        run = subprocess.run(list(map(str, command)), stdout=out, stderr=subprocess.STDOUT, cwd=cwd, timeout=timeout)
    if run.returncode != 0:
        tail = "\n".join(pathlib.Path(log).read_text().splitlines()[-15:])
        raise RuntimeError(f"{' '.join(map(str, command))[:300]}\n{tail}")


def read_design(top):
    files = " ".join(str(p) for p in sources())
    return f"read_verilog -sv {files}\nhierarchy -top {top}\nproc\nopt_expr\nopt_clean\n"


def make_netlist(module, top, args, work):
    """Writes netlist.v with all mutants; returns their descriptions, index 0 = mutant 1."""
    listing = work / "mutants.txt"
    pattern = module if module == top else f"*{module}*"
    script = read_design(top)
    script += f"mutate -list {args.mutants} -seed {args.seed} -ctrl mutant_i 8 1 -o {listing} {pattern}\n"
    script += f"script {listing}\nwrite_verilog -noattr {work / 'netlist.v'}\n"
    (work / "make.ys").write_text(script)
    call(["yosys", "-q", "-s", work / "make.ys"], work / "yosys.log")
    return [line for line in listing.read_text().splitlines() if line.startswith("mutate")]


def build(module, top, work):
    prefix = f"V{module}_mux"
    call(["verilator", "--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "-Wno-fatal", "-Wno-lint",
          "-Wno-UNOPTFLAT", "-Wno-MULTITOP", "--prefix", prefix, "--top-module", top, "--Mdir", work / "model",
          work / "netlist.v"], work / "verilator.log")
    call(["make", "-s", "-C", work / "model", "-f", f"{prefix}.mk", "OPT_FAST=-O1",
          "CXX=ccache g++" if shutil.which("ccache") else "CXX=g++", f"{prefix}__ALL.a", "verilated.o",
          "verilated_threads.o"], work / "make.log")


def link(module, args, work):
    include = subprocess.run(["verilator", "--getenv", "VERILATOR_ROOT"], capture_output=True, text=True).stdout.strip()
    libraries = [p for p in args.libraries.split(":") if p]
    model = work / "model"
    call(["g++", "-std=c++20", "-O1", f"-DMACLOOM_MUTATION_COUNT={args.mutants}", "-DFMT_SHARED", "-I", ROOT, "-I", model,
          "-I", TESTS / "harness", "-isystem", f"{include}/include", TESTS / f"{module}_test.cc", model / f"V{module}_mux__ALL.a",
          model / "verilated.o", model / "verilated_threads.o", *libraries, "-lgtest", "-lgtest_main", "-lfmt",
          "-lcrypto", "-lz", "-larchive", "-pthread", "-o", work / "test"], work / "link.log")


def survivors_of(work):
    call([work / "test"], work / "test.log", cwd=work)
    text = (work / "test.log").read_text()
    found = re.findall(r"^survivors:(.*)$", text, re.M)
    if not found:
        raise RuntimeError(f"{work / 'test.log'}: no list of survivors")
    return sorted({int(k) for line in found for k in line.split()})


def is_equivalent(module, top, mutant, work):
    """Whether induction proves that this mutant of the module itself has the same outputs."""
    bare = re.sub(r"-ctrl mutant_i 8 \d+ ", "", mutant)
    target = re.search(r"-module (\S+)", bare)[1]
    # Only registers and ports are compared: a wire that differs and changes neither is no difference.
    script = (
        read_design(top) + f"copy {target} gate\ncopy {target} gold\n" +
        bare.replace(f"-module {target}", "-module gate") + "\nflatten gold gate\nmemory -nomap gold gate\n"
        "memory_map gold gate\nopt -full gold gate\nselect -set registers gold/t:*dff* gate/t:*dff* %co1:+[Q]\n"
        "select -set ports gold/x:* gate/x:*\nselect gold/w:* gate/w:* @registers %d @ports %d\nrename -hide\n"
        "select -clear\nequiv_make gold gate equiv\nhierarchy -top equiv\nopt -full\n"
        "equiv_simple -undef\nequiv_induct -undef\nequiv_status -assert\n"
    )
    path = work / "equivalence.ys"
    path.write_text(script)
    try:
        return subprocess.run(["yosys", "-q", "-s", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=EQUIVALENCE_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def place(mutant):
    mode = re.search(r"-mode (\S+)", mutant)[1]
    port = re.search(r"-port (\S+)", mutant)
    bit = re.search(r"-portbit (\S+)", mutant)
    cell = re.search(r"-cell (\S+)", mutant)
    wire = re.search(r"-wire (\S+)", mutant)
    lines = re.findall(r"-src (\S+)", mutant)
    name = cell[1].lstrip("\\") if cell else ""
    kind = name.split("$")[1] if "$" in name else name
    return {
        "mode": mode, "cell": kind, "port": f"{port[1].lstrip(chr(92))}[{bit[1]}]" if port else "",
        "wire": wire[1].lstrip("\\") if wire else "",
        "source": [s.replace(str(ROOT) + "/", "") for s in lines][-1:] if lines else [],
    }


def score(module, args):
    begin = time.time()
    top = TOPS.get(module, module)
    work = args.work / module
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    mutants = make_netlist(module, top, args, work)
    build(module, top, work)
    link(module, args, work)
    alive = survivors_of(work)
    result = {"module": module, "mutants": len(mutants), "survivors": [], "equivalent": 0}
    for k in alive:
        if is_equivalent(module, top, mutants[k - 1], work):
            result["equivalent"] += 1
        else:
            result["survivors"].append({"mutant": k, **place(mutants[k - 1])})
    result["seconds"] = round(time.time() - begin, 1)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--mutants", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("mutation"))
    parser.add_argument("--libraries", default="")
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--minimum", type=float, default=0.0, help="exit 1 below this score in percent")
    args = parser.parse_args()
    if not 1 <= args.mutants <= 255:
        sys.exit("--mutants: accepted are 1 to 255")
    args.work = args.work.resolve()
    names = sorted(p.name[: -len("_test.cc")] for p in TESTS.glob("loom_*_test.cc"))
    for module in args.modules:
        if module not in names:
            sys.exit(f"module `{module}` has no unit test; known are {', '.join(names)}")
    names = args.modules or names
    results = []
    begin = time.time()
    print(f"{'module':26} {'mutants':>7} {'killed':>6} {'equivalent':>10} {'survivors':>9} {'score %':>8} {'s':>6}")
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for result in pool.map(lambda m: score(m, args), names):
            results.append(result)
            print_row(result, result["module"], result["seconds"])
    total = {"mutants": sum(r["mutants"] for r in results), "equivalent": sum(r["equivalent"] for r in results),
             "survivors": [s for r in results for s in r["survivors"]]}
    overall = print_row(total, "total", round(time.time() - begin, 1))
    for result in results:
        for s in result["survivors"]:
            where = s["source"][0] if s["source"] else ""
            print(f"  {result['module']} mutant {s['mutant']}: {s['mode']} {s['cell']}.{s['port']} {s['wire']} {where}")
    if args.report:
        args.report.write_text(json.dumps({"format": "macloom.mutation", "version": 1, "seed": args.seed,
                                           "score_percent": round(overall, 2), "modules": results}, indent=1) + "\n")
    return 1 if overall < args.minimum else 0


def print_row(result, name, seconds):
    counted = result["mutants"] - result["equivalent"]
    killed = counted - len(result["survivors"])
    percent = 100.0 * killed / counted if counted else 100.0
    print(f"{name:26} {result['mutants']:7} {killed:6} {result['equivalent']:10} {len(result['survivors']):9} "
          f"{percent:8.2f} {seconds:6}", flush=True)
    return percent


if __name__ == "__main__":
    sys.exit(main())
