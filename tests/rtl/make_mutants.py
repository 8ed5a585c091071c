"""Writes a module, its mutants and a wrapper that selects one of them into one SystemVerilog file.

usage: make_mutants.py MODULE.sv MUTANTS.txt OUTPUT.sv

MUTANTS.txt holds groups of three lines: a name, "- " and the original text, "+ " and its
replacement. The original must occur exactly once in the module; anything else is an error. The
wrapper MODULE_mux has the module's parameters and ports and `mutant_i`: 0 is the module itself, k
its k-th mutant. Every instance sees the same inputs.
"""
import pathlib
import re
import sys

# Modules whose mutants are tested through another module.
INNER = {"loom_accelerator": ["loom_core"]}


def select_inline(text, lines, first, top, where):
    """Replaces `{{a}}` of each original by (mutant_i == k ? b : a), in place."""
    for k in range(len(lines) // 3):
        title, original, replacement = lines[3 * k : 3 * k + 3]
        before, rest = original[2:].split("{{", 1)
        old, after = rest.split("}}", 1)
        if text.count(before + old + after) != 1:
            sys.exit(f"{where}: mutant `{title}`: the original must occur exactly once")
        choice = f"({top}.mutant_i == 4'd{first + k} ? {replacement[2:]} : {old})"
        text = text.replace(before + old + after, before + choice + after)
    return text


def write_inline(source, name, lines, mutants_path, output_path):
    top = f"{name}_mux"
    text = select_inline(source, lines, 1, top, mutants_path)
    first = 1 + len(lines) // 3
    inner_text = ""
    # Mutants of a module inside: the name of its file in the same folder follows `inner`.
    for inner in INNER.get(name, []):
        path = mutants_path.parent / f"{inner}.txt"
        inner_lines = [line for line in path.read_text().splitlines() if line.strip()]
        inner_source = (SOURCE_FOLDER / f"{inner}.sv").read_text()
        inner_text += select_inline(inner_source, inner_lines, first, top, path) + "\n"
        first += len(inner_lines) // 3
    text = text.replace(f"module {name} ", f"module {top} ", 1)
    first_port = re.search(r"\n\) \(\n", text).end()
    text = text[:first_port] + "  input logic [3:0] mutant_i,\n" + text[first_port:]
    output_path.parent.mkdir(parents=True, exist_ok=True)
    output_path.write_text("/* verilator lint_off DECLFILENAME */\n" + inner_text + text)


def main() -> int:
    global SOURCE_FOLDER
    module_path, mutants_path, output_path = map(pathlib.Path, sys.argv[1:4])
    SOURCE_FOLDER = module_path.parent
    source = module_path.read_text()
    name = module_path.stem
    lines = [line for line in mutants_path.read_text().splitlines() if line.strip()]
    if len(lines) % 3 or len(lines) < 9:
        sys.exit(f"{mutants_path}: needs at least three groups of three lines")
    if "{{" in lines[1]:
        write_inline(source, name, lines, mutants_path, output_path)
        return 0
    copies = []
    for k in range(len(lines) // 3):
        title, original, replacement = lines[3 * k : 3 * k + 3]
        if original[:2] != "- " or replacement[:2] != "+ " or source.count(original[2:]) != 1:
            sys.exit(f"{mutants_path}: mutant `{title}`: the original must occur exactly once")
        copies.append(source.replace(original[2:], replacement[2:]))
    copies.insert(0, source)

    header = re.search(rf"\nmodule {name}\b(.*?)\n\);", source, re.S)
    parameters = re.findall(r"^\s*parameter\s+[\w\s\[\]:]*?(\w+)\s*=", header[1], re.M)
    ports = re.findall(r"^\s*(input|output)\s+logic\s+((?:signed\s+)?(?:\[[^\n]*?\]\s*)?)(\w+),?$", header[1], re.M)
    text = ""
    for k, copy in enumerate(copies):
        text += re.sub(rf"\bmodule {name}\b", f"module {name}__m{k}", copy) + "\n"
    body = ""
    passed = ", ".join(f".{p}({p})" for p in parameters)
    for k in range(len(copies)):
        for direction, shape, port in ports:
            if direction == "output":
                body += f"  logic {shape}{port}__{k};\n"
        connections = ",\n    ".join(
            f".{port}({port if direction == 'input' else f'{port}__{k}'})" for direction, _, port in ports
        )
        body += f"  {name}__m{k} {f'#({passed}) ' if passed else ''}u_m{k} (\n    {connections}\n  );\n"
    for direction, _, port in ports:
        if direction == "output":
            select = f"{port}__0"
            for k in range(1, len(copies)):
                select = f"mutant_i == 4'd{k} ? {port}__{k} : {select}"
            body += f"  assign {port} = {select};\n"
    opening = header[0].replace(f"module {name}", f"module {name}_mux", 1)
    first_port = re.search(r"^\s*(?:///[^\n]*\n\s*)?(input|output)\s", opening, re.M).start()
    opening = opening[:first_port] + "\n  input logic [3:0] mutant_i,\n" + opening[first_port:]
    output_path.parent.mkdir(parents=True, exist_ok=True)
    output_path.write_text("/* verilator lint_off DECLFILENAME */\n" + text + opening + "\n\n" + body + "\nendmodule\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
