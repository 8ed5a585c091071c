"""Mutation score of the RTL unit tests.

usage: mutation.py [--mutants N] [--seed S] [--jobs J] [--work DIR] [--build DIR] [--minimum PERCENT]
                   [--report FILE] [--record] [--recorded] [--prove-all] [--no-proof] [MODULE...]

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
import hashlib
import json
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "rtl" / "lib"
TESTS = ROOT / "tests" / "rtl"
PROVED = pathlib.Path(__file__).with_name("proved.json")
EXPLAINED = pathlib.Path(__file__).with_name("explained.json")
# Modules that are tested inside another one.
TOPS = {"loom_core": "loom_accelerator"}
# Archives of the stages, dependents first.
ARCHIVES = ["sim/libmacloom_sim.a", "rtl/gen/libmacloom_rtl_gen.a", "arch/libmacloom_arch.a", "ir/libmacloom_ir.a",
            "base/libmacloom_base.a"]
PROOF_SECONDS = 6
# Modules with a property in tests/formal that counts as a test: number of its cases.
PROPERTIES = {"loom_counters": 14}
SPECS = ROOT / "tests" / "formal"
# Not compared: a cut memory or instance is no free input yet, so the proof would hold for nothing.
UNCOMPARED = ["loom_accelerator", "loom_activation_memory", "loom_array", "loom_core", "loom_sram_1r1w",
              "loom_weight_ring"]
# Too large to be proved with what they instantiate.
# Yosys stops at a memory with two clocks or a switched asynchronous port.
UNUSABLE = re.compile(r"-port (CLK|RD_CLK|WR_CLK) |-cell \S*memrd\S* -port (EN|ARST|SRST) ")
CUT_MEMORY = pathlib.Path(__file__).with_name("cut_memory.v")
CUT = ["loom_accelerator", "loom_array", "loom_core"]


def modules_of_library():
    return sorted(p.stem for p in LIBRARY.glob("*.sv") if not p.stem.endswith("_pkg"))


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
    # Reduced to the hardware: a mutant in the upper bits of a 32-bit constant or `int` is none.
    files = " ".join(str(p.relative_to(ROOT)) for p in sources())
    return f"read_verilog -sv {files}\nhierarchy -top {top}\nproc\nopt_expr\nopt_clean\nwreduce\nopt_expr\nopt_clean\n"


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
        f"write_verilog -noattr -selected {work / 'netlist.v'}\n")
    call(["yosys", "-q", "-s", work / "make.ys"], work / "make_netlist.log", cwd=ROOT)
    others = [(name, m) for name, m in json.loads((work / "all.json").read_text())["modules"].items()
              if name.split("\\")[-1] not in (module, top) and name.startswith("$")]
    (work / "others.v").write_text("".join(bridge_of(name, m) for name, m in others))
    return mutants


def bridge_of(name, module):
    """A module with the name that Yosys gives an instance with parameters, made of the source's module."""
    source = name.split("\\")[-1] if name.startswith("$paramod$") else name.split("\\")[1]
    values = module["parameter_default_values"]
    parameters = ", ".join(f".{p} (32'd{int(v, 2) & 0xFFFFFFFF})" for p, v in values.items())
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
          "CXX=ccache g++" if shutil.which("ccache") else "CXX=g++", f"{prefix}__ALL.a", "verilated.o",
          "verilated_threads.o"], work / "make.log")


def link(top, args, work):
    include = subprocess.run(["verilator", "--getenv", "VERILATOR_ROOT"], capture_output=True, text=True).stdout.strip()
    model = work / "model"
    libraries = [args.build / a for a in ARCHIVES[0 if top == "loom_accelerator" else -1:]]
    missing = [str(p) for p in libraries if not p.exists()]
    if missing:
        raise RuntimeError(f"not built: {', '.join(missing)}; build the targets macloom_base and macloom_sim first")
    call(["g++", "-std=c++20", "-O1", f"-DMACLOOM_MUTATION_COUNT={args.mutants}", "-DFMT_SHARED", "-I", ROOT, "-I", model,
          "-I", TESTS / "harness", "-isystem", f"{include}/include", TESTS / f"{top}_test.cc",
          model / f"V{top}_mux__ALL.a", model / "verilated.o", model / "verilated_threads.o", "-Wl,--start-group",
          *libraries, "-Wl,--end-group", "-lgtest", "-lgtest_main", "-lfmt", "-lcrypto", "-lz", "-larchive", "-ldl",
          "-pthread", "-o", work / "test"], work / "link.log")


def survivors_of(work):
    call([work / "test"], work / "test.log", cwd=work)
    text = (work / "test.log").read_text()
    found = re.findall(r"^survivors:(.*)$", text, re.M)
    if not found:
        raise RuntimeError(f"{work / 'test.log'}: no list of survivors")
    return sorted({int(k) for line in found for k in line.split()})


def ports_of(module, path):
    """(name, is input, bits) of the ports of a module in a JSON netlist of Yosys."""
    ports = json.loads(path.read_text())["modules"][module]["ports"]
    return [(name, p["direction"] == "input", len(p["bits"])) for name, p in ports.items()]


def wrapper_of(ports, inner, contract):
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
                value = f"{name} & {{{masks}}}"
            elif name in item["ports"]:
                value = item["value"]
        body.append(f"  assign {target} = {value};")
    body += [f"  {item['declare']}" for item in contract if "declare" in item]
    pins = ", ".join(f".{name} ({name + '__legal' if is_input else name})" for name, is_input, _ in ports)
    return "\n".join([f"module {inner}_seen (", ",\n".join(names), ");", *wires, f"  {inner} u ({pins});", *body,
                      "endmodule"]) + "\n"


def write_design(module, top, mutant, work):
    """Writes design.il, the design without mutants, and module.json, the module alone."""
    netlist = work / "module.json"
    if not netlist.exists():
        target = re.search(r"-module (\S+)", mutant)[1]
        script = work / "module.ys"
        script.write_text(f"{read_design(top)}write_rtlil {work / 'design.il'}\ncopy {target} gold\n"
                          f"write_json {netlist}\n")
        call(["yosys", "-q", "-s", script], work / "module.log", cwd=ROOT)
    return netlist


def compare(module, top, mutant, work, proved=frozenset(), recorded=False):
    """Whether this mutant can have other outputs (equivalent, different, open), and the proof's digest.

    Both copies start with all registers 0. Large memories, and instances in the modules of CUT, are
    cut out: what they give is free and the same in both, what they are given must agree. A proof
    whose digest is in `proved` has been done before, with the same text of everything in it.
    """
    if module in UNCOMPARED:
        return "open", ""
    contract = contracts_of(module)
    bare = re.sub(r"-ctrl mutant_i 8 \d+ ", "", mutant)
    target = re.search(r"-module (\S+)", bare)[1]
    ports = ports_of("gold", write_design(module, top, mutant, work))
    unknown = {name for item in contract for name in item["ports"]} - {p[0] for p in ports}
    if unknown:
        raise RuntimeError(f"{EXPLAINED.name}: {module} has no port {', '.join(unknown)}")
    wrappers = work / "wrappers.v"
    wrappers.write_text(wrapper_of(ports, "gold", contract) + wrapper_of(ports, "gate", contract))
    keep = "setattr -mod -set keep_hierarchy 1 *\nsetattr -mod -unset keep_hierarchy gold gate gold_seen gate_seen\n"
    script = (
        f"read_rtlil {work / 'design.il'}\ncopy {target} gate\ncopy {target} gold\n" +
        bare.replace(f"-module {target}", "-module gate") + f"\nread_verilog {wrappers}\nproc gold_seen gate_seen\n"
        f"{keep if module in CUT else ''}flatten gold_seen gate_seen\nsetattr -mod -unset keep_hierarchy *\n"
        "select gold_seen gate_seen\nmemory -nomap\n"
        f"select gold_seen/r:SIZE>16 gate_seen/r:SIZE>16\ntechmap -map {CUT_MEMORY}\n"
        "select gold_seen gate_seen\nmemory_map\nsetundef -zero\nopt_expr\nopt_clean\nselect -clear\nsetattr -mod -unset top *\nhierarchy\n"
        "select -set inner gold_seen/t:$* gate_seen/t:$*\n"
        "expose -evert gold_seen/c:* gate_seen/c:* %u @inner %d\n"
        "select -clear\nasync2sync gold_seen gate_seen\nmiter -equiv -flatten gold_seen gate_seen miter\n"
        "hierarchy -top miter\ndffunmap\nopt_expr\nopt_clean\nsetundef -undriven -init -zero\ntechmap\nopt_expr\nopt_clean\n"
        "setundef -undriven -zero\n"
        f"aigmap\nclean\nwrite_aiger -zinit {work / 'miter.aig'}\n"
    )
    path = work / "equivalence.ys"
    path.write_text(script)
    design = (work / "design.il").read_text().partition("\n")[2]
    whole = "\0".join([design, wrappers.read_text(), CUT_MEMORY.read_text(), script])
    digest = hashlib.sha256(whole.replace(str(work), "").replace(str(ROOT), "").encode()).hexdigest()[:20]
    if digest in proved:
        return "equivalent", digest
    if recorded:
        return "open", digest
    call(["yosys", "-q", "-s", path], work / "equivalence.log", cwd=ROOT)
    prove = f"&r {work / 'miter.aig'}; &scorr; &put; pdr -T {PROOF_SECONDS}; print_status"
    call(["yosys-abc", "-c", prove], work / "abc.log", cwd=work)
    text = (work / "abc.log").read_text()
    if "Property proved" in text or "Networks are equivalent" in text:
        return "equivalent", digest
    return ("different" if "was asserted in frame" in text else "open"), digest


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
    begin = time.time()
    top = TOPS.get(module, module)
    work = args.work / module
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    mutants = make_netlist(module, top, args, work)
    build(top, work)
    link(top, args, work)
    result = {"module": module, "mutants": len(mutants), "refuted": 0, "equivalent": 0, "survivors": [], "digests": []}
    alive = survivors_of(work)
    if not args.no_proof and not args.recorded:
        check_control(module, top, mutants, alive, work)
    for k in alive:
        mutant = mutants[k - 1]
        if module in PROPERTIES and is_refuted(module, top, mutant, work):
            result["refuted"] += 1
            continue
        survivor = {"mutant": k, **place(mutant)}
        survivor["reason"] = explained.get(key_of(module, survivor))
        verdict = "open"
        if not args.no_proof and (survivor["reason"] is None or args.prove_all):
            verdict, digest = compare(module, top, mutant, work, proved, args.recorded)
        if verdict == "equivalent":
            result["equivalent"] += 1
            result["digests"].append(digest)
        else:
            result["survivors"].append({**survivor, "verdict": verdict})
    result["seconds"] = round(time.time() - begin, 1)
    return result


def check_control(module, top, mutants, alive, work):
    """A mutant that the test notices must not be proved equivalent."""
    killed = next((k for k in range(1, len(mutants) + 1) if k not in alive), None)
    if killed and compare(module, top, mutants[killed - 1], work)[0] == "equivalent":
        raise RuntimeError(f"{module}: mutant {killed}, which the test notices, is proved equivalent")


def read_explained():
    entries = json.loads(EXPLAINED.read_text())["survivors"]
    fields = ("module", "mode", "cell", "port", "wire", "text")
    return {tuple(entry[f] for f in fields): entry["reason"] for entry in entries}


def contracts_of(module):
    """What the inputs of a module can be and what is promised of its outputs."""
    return [item for item in json.loads(EXPLAINED.read_text())["contracts"] if item["module"] == module]


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
    parser.add_argument("--no-proof", action="store_true", help="prove no survivor equivalent")
    args = parser.parse_args()
    if not 1 <= args.mutants <= 255:
        parser.error(f"--mutants: {args.mutants} given; accepted are 1 to 255")
    if not 1 <= args.jobs <= 64:
        parser.error(f"--jobs: {args.jobs} given; accepted are 1 to 64")
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
             "survivors": [s for r in results for s in r["survivors"]], "seconds": round(time.time() - begin, 1)}
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


HEADING = f"{'mutants':>7} {'killed':>6} {'refuted':>7} {'equivalent':>10} {'survivors':>9} {'score %':>8} {'s':>6}"


def percent_of(result):
    counted = result["mutants"] - result["equivalent"]
    return 100.0 * (counted - len(result["survivors"])) / counted if counted else 100.0


def row(result):
    killed = result["mutants"] - result["refuted"] - result["equivalent"] - len(result["survivors"])
    return (f"{result['module']:24} {result['mutants']:7} {killed:6} {result['refuted']:7} {result['equivalent']:10} "
            f"{len(result['survivors']):9} {percent_of(result):8.2f} {result['seconds']:6}")


if __name__ == "__main__":
    sys.exit(main())
