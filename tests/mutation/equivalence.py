"""Proofs about mutants that a unit test does not notice (see mutation.py)."""
import hashlib
import json
import pathlib
import re

from design import LIBRARY, ROOT, call, read_design

EXPLAINED = pathlib.Path(__file__).with_name("explained.json")
CUT_MEMORY = pathlib.Path(__file__).with_name("cut_memory.v")
SPECS = ROOT / "tests" / "formal"
PROOF_SECONDS = 6
# Modules with a property in tests/formal that counts as a test: number of its cases.
PROPERTIES = {"loom_counters": 14}
# Too large to be proved with what they instantiate.
# The only module with a memory of size; where it is an instance it is cut as a whole.
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
CUT = ["loom_accelerator", "loom_array", "loom_core"]
# Entries from which on a memory is cut: below that it is proved with its content.
CUT_ABOVE = {"loom_param_loader": 32}


def contracts_of(module):
    """What the inputs of a module can be and what is promised of its outputs."""
    return [item for item in json.loads(EXPLAINED.read_text())["contracts"] if item["module"] == module]


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


def cut_of(name, ports):
    """The memory module as a cut: its outputs are free, what counts of its inputs must agree."""
    bits_of = {port: bits for port, _, bits in ports}
    lanes, data = bits_of["be_i"], bits_of["wdata_i"]
    pins = ",\n".join(f"  {'input' if is_input else 'output'} [{bits - 1}:0] {port}" for port, is_input, bits in ports)
    enabled = ", ".join(f"{{{data // lanes}{{be_i[{lane}] & we_i}}}}" for lane in reversed(range(lanes)))
    given = (f"{{re_i, raddr_i & {{{bits_of['raddr_i']}{{re_i}}}}, waddr_i & {{{bits_of['waddr_i']}{{we_i & |be_i}}}}, "
             f"be_i & {{{lanes}{{we_i}}}}, wdata_i & {{{enabled}}}}}")
    others = 1 + bits_of["raddr_i"] + bits_of["waddr_i"] + lanes + data
    return (f"module {name} (\n{pins}\n);\n  cut_memory #(.ReadBits({bits_of['rdata_o']}), .Others({others})) cut (\n"
            f"    .data_o (rdata_o),\n    .given_i({given})\n  );\nendmodule\n")


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
    contract = contracts_of(module)
    bare = re.sub(r"-ctrl mutant_i 8 \d+ ", "", mutant)
    target = re.search(r"-module (\S+)", bare)[1]
    netlist = write_design(module, top, mutant, work)
    ports = ports_of("gold", netlist)
    unknown = {name for item in contract for name in item["ports"]} - {p[0] for p in ports}
    if unknown:
        raise RuntimeError(f"{EXPLAINED.name}: {module} has no port {', '.join(unknown)}")
    memories = [name for name in json.loads(netlist.read_text())["modules"] if MEMORY in name and module != MEMORY]
    cuts = "".join(cut_of(f"memory_{i}", ports_of(name, netlist)) for i, name in enumerate(memories))
    wrappers = work / "wrappers.v"
    wrappers.write_text(wrapper_of(ports, "gold", contract) + wrapper_of(ports, "gate", contract) + cuts + CUT_PORTS)
    keep = "setattr -mod -set keep_hierarchy 1 *\nsetattr -mod -unset keep_hierarchy gold gate gold_seen gate_seen\n"
    entries = CUT_ABOVE.get(module, 16)
    script = (
        f"read_rtlil {work / 'design.il'}\ncopy {target} gate\ncopy {target} gold\n" +
        bare.replace(f"-module {target}", "-module gate") + "".join(f"\ndelete {name}" for name in memories) +
        f"\nread_verilog -noblackbox {wrappers}\n" +
        "".join(f"rename memory_{i} {name}\n" for i, name in enumerate(memories)) + "proc\n"
        f"{keep if module in CUT else ''}flatten gold_seen gate_seen\nsetattr -mod -unset keep_hierarchy *\n"
        "select gold_seen gate_seen\nmemory -nomap\n"
        f"select gold_seen/r:SIZE>{entries} gate_seen/r:SIZE>{entries}\ntechmap -map {CUT_MEMORY}\n"
        "select gold_seen gate_seen\nmemory_map\nsetundef -zero\nopt_expr\nopt_clean\nselect -clear\nsetattr -mod -unset top *\nhierarchy -check -top pair\n"
        "select -set inner gold_seen/t:$* gold_seen/t:$paramod* %d gate_seen/t:$* gate_seen/t:$paramod* %d %u\n"
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
    verdict = abc(f"&r {work / 'miter.aig'}; &scorr; &put; pdr -T {PROOF_SECONDS}", work)
    if verdict == "open" and is_proved_in_steps(script, contract, work):
        verdict = "equivalent"
    return verdict, digest


def abc(commands, work):
    """What ABC says about a miter: equivalent, different or open."""
    call(["yosys-abc", "-c", f"{commands}; print_status"], work / "abc.log", cwd=work)
    text = (work / "abc.log").read_text()
    if "Property proved" in text or "Networks are equivalent" in text:
        return "equivalent"
    return "different" if "was asserted in frame" in text else "open"


def is_proved_in_steps(script, contract, work):
    """Whether first the flags agree, and then, while they do, what the contract masks by them."""
    split = work / "split.ys"
    split.write_text(script.replace("miter -equiv", "miter -equiv -make_outcmp")
                     .replace("miter.aig", "split.aig").replace("-zinit", f"-zinit -map {work / 'split.map'}"))
    call(["yosys", "-q", "-s", split], work / "split.log", cwd=ROOT)
    masked = {f"cmp_{name}__seen" for item in contract if "when" in item for name in item["ports"]}
    lines = (work / "split.aig").read_bytes().split(b"\n")
    _, variables, inputs, latches, outputs, ands = lines[0].split()
    first = 1 + int(latches)
    agree = lines[first:first + int(outputs)]
    names = dict(re.findall(r"^output (\d+) \d+ (\S+)$", (work / "split.map").read_text(), re.M))
    flags, values = [], []
    for k, literal in enumerate(agree):
        name = names.get(str(k), "")
        if name != "trigger":
            (values if name in masked else flags).append(literal)
    differ = [b"%d" % (int(literal) ^ 1) for literal in flags], [b"%d" % (int(literal) ^ 1) for literal in values]
    for path, bad, given in (("flags.aig", differ[0], []), ("values.aig", differ[1], flags)):
        head = b" ".join([b"aig", variables, inputs, latches, b"%d" % (0 if given else len(bad)), ands])
        head += b" %d %d" % (len(bad), len(given)) if given else b""
        (work / path).write_bytes(b"\n".join([head, *lines[1:first], *bad, *given, *lines[first + int(outputs):]]))
    return (abc(f"&r {work / 'flags.aig'}; &scorr; &put; orpos; pdr -T {PROOF_SECONDS}", work) == "equivalent" and
            abc(f"read {work / 'values.aig'}; scorr -c; fold; orpos; pdr -T {PROOF_SECONDS}", work) == "equivalent")


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
