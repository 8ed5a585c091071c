"""Binary AIGER circuits (fmv.jku.at/aiger), as Yosys writes and ABC reads them."""
import re


def read_aiger(path):
    """The circuit of a file: its header, latches and outputs, its AND gates, its inputs' numbers and its outputs' literals by name."""
    data = path.read_bytes()
    header, _, rest = data.partition(b"\n")
    # Maximum variable, inputs, latches, outputs, gates; the further fields of AIGER 1.9 are not used.
    fields = header.split()
    if fields[0] != b"aig" or any(int(f) for f in fields[6:]):
        raise RuntimeError(f"{path}: header `{header.decode(errors='replace')}`; accepted is `aig M I L O A`")
    maximum, inputs, latches, outputs, gates = map(int, fields[1:6])
    lines = rest.split(b"\n", latches + outputs)
    lines, rest = lines[:-1], lines[-1]
    ands, at = [], 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = rest[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    for gate in range(gates):
        left = 2 * (inputs + latches + gate + 1)
        high = left - number()
        ands.append((left, high, high - number()))
    names = {name.decode(): int(i) for i, name in re.findall(rb"^i(\d+) (\S+)$", rest[at:], re.M)}
    literals = [int(line) for line in lines[latches:]]
    shown = {name.decode(): literals[int(i)] for i, name in re.findall(rb"^o(\d+) (\S+)$", rest[at:], re.M)}
    return {"header": (maximum, inputs, latches, gates), "latches": [line.split() for line in lines[:latches]],
            "literals": literals, "ands": ands, "inputs": names, "outputs": shown}


def negated(literals):
    return [literal ^ 1 for literal in literals]


def encoded(value):
    data = bytearray()
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def with_constant(circuit, name, value, outputs=None, given=()):
    """The file of the circuit whose inputs name[0], name[1], ... have the bits of `value`.

    The literals `outputs` take the place of its outputs. With `given`, literals that are taken to be 1
    in every cycle, the outputs are written as the bad states of AIGER 1.9.
    """
    bits = {int(m[1]): i for n, i in circuit["inputs"].items() if (m := re.fullmatch(re.escape(name) + r"\[(\d+)\]", n))}
    if not bits or value >> len(bits):
        raise RuntimeError(f"the circuit has {len(bits)} inputs {name}[...], too few for {value}")
    constants = {2 * (i + 1): value >> bit & 1 for bit, i in bits.items()}

    def substituted(literal):
        return constants[literal & ~1] ^ literal & 1 if literal & ~1 in constants else literal

    outputs = circuit["literals"] if outputs is None else outputs
    maximum, inputs, latches, gates = circuit["header"]
    counts = f"0 {gates} {len(outputs)} {len(given)}" if given else f"{len(outputs)} {gates}"
    data = bytearray(f"aig {maximum} {inputs} {latches} {counts}\n".encode())
    for line in circuit["latches"]:
        data += b" ".join([str(substituted(int(line[0]))).encode(), *line[1:]]) + b"\n"
    for literal in [*outputs, *given]:
        data += b"%d\n" % substituted(literal)
    for left, a, b in circuit["ands"]:
        high, low = sorted((substituted(a), substituted(b)), reverse=True)
        data += encoded(left - high) + encoded(high - low)
    return bytes(data)
