"""Modules that stand for what a proof leaves out: what it gives is free, what it is given must agree."""


def wired(ports):
    return ",\n".join(f"  {'input' if is_input else 'output'} [{bits - 1}:0] {port}" for port, is_input, bits in ports)


def memory_cut_of(name, ports):
    """The memory module as a cut: its outputs are free, what counts of its inputs must agree."""
    bits_of = {port: bits for port, _, bits in ports}
    lanes, data = bits_of["be_i"], bits_of["wdata_i"]
    enabled = ", ".join(f"{{{data // lanes}{{be_i[{lane}] & we_i}}}}" for lane in reversed(range(lanes)))
    given = (f"{{re_i, raddr_i & {{{bits_of['raddr_i']}{{re_i}}}}, waddr_i & {{{bits_of['waddr_i']}{{we_i & |be_i}}}}, "
             f"be_i & {{{lanes}{{we_i}}}}, wdata_i & {{{enabled}}}}}")
    others = 1 + bits_of["raddr_i"] + bits_of["waddr_i"] + lanes + data
    return (f"module {name} (\n{wired(ports)}\n);\n  cut_memory #(.ReadBits({bits_of['rdata_o']}), .Others({others})) cut (\n"
            f"    .data_o (rdata_o),\n    .given_i({given})\n  );\nendmodule\n")


def instance_cut_of(name, ports, read):
    """Any module as a cut: its outputs are free, the bits that it reads must agree."""
    given = [f"{port}[{k}]" for port, bits in read.items() for k, is_read in enumerate(bits) if is_read]
    outputs = [(port, bits) for port, is_input, bits in ports if not is_input]
    return (f"module {name} (\n{wired(ports)}\n);\n"
            f"  cut_memory #(.ReadBits({sum(bits for _, bits in outputs)}), .Others({len(given)})) cut (\n"
            f"    .data_o ({{{', '.join(port for port, _ in outputs)}}}),\n    .given_i({{{', '.join(given)}}})\n  );\nendmodule\n")


def read_bits_of(modules, name, known):
    """Of every input of a module, which bits any cell in it reads (JSON netlist of Yosys, purged of what
    drives nothing)."""
    if name not in known:
        read = {bit for port in modules[name]["ports"].values() if port["direction"] == "output" for bit in port["bits"]}
        for cell in modules[name]["cells"].values():
            inner = read_bits_of(modules, cell["type"], known) if cell["type"] in modules else None
            for port, bits in cell["connections"].items():
                if inner is not None:
                    read.update(bit for bit, is_read in zip(bits, inner.get(port, [])) if is_read)
                elif cell["port_directions"][port] == "input":
                    read.update(bits)
        known[name] = {port: [bit in read for bit in p["bits"]]
                       for port, p in modules[name]["ports"].items() if p["direction"] == "input"}
    return known[name]


def source_of(name):
    """Name in the source of a module that Yosys has given parameters."""
    return name.split("\\")[-1] if name.startswith("$paramod$") else name.split("\\")[1] if "\\" in name else name
