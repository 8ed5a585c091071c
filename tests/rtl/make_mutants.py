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


def main() -> int:
    module_path, mutants_path, output_path = map(pathlib.Path, sys.argv[1:4])
    source = module_path.read_text()
    name = module_path.stem
    lines = [line for line in mutants_path.read_text().splitlines() if line.strip()]
    if len(lines) % 3 or len(lines) < 9:
        sys.exit(f"{mutants_path}: needs at least three groups of three lines")
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
