"""Writes a network file by hand: one 2x3 FULLY_CONNECTED layer in Q formats, shift-only.

usage: python3 write_network.py OUTPUT.safetensors; then: macloom verify OUTPUT.safetensors
"""
import array
import json
import struct
import sys

q = {"family": "fixed-point", "bits": 8, "is_signed": True, "fraction_bits": 5}
graph = {
    "format": "macloom.network", "version": 1, "name": "hand_made", "input": 0, "output": 1,
    "origin": "made by hand", "licence": "", "is_untrained": False, "class_labels": [],
    "tensors": [{"name": "x", "shape": [3], "format": q}, {"name": "y", "shape": [2], "format": q}],
    "constants": [{"name": "w", "codes": "w", "format": q},
                  {"name": "b", "codes": "b", "format": {**q, "bits": 32, "fraction_bits": 10}}],
    "nodes": [{"name": "fc", "operator": "FULLY_CONNECTED", "inputs": [0], "output": 1, "weights": 0, "bias": 1,
               "requantization": {"kind": "shift", "zero_point": 0, "clamp": [-128, 127],
                                  "multipliers": "multipliers", "shifts": "shifts"}}],
}
tensors = {"w": ("I8", [2, 3], array.array("b", [32, -16, 8, 1, 2, 3])),
           "b": ("I64", [2], array.array("q", [100, -100])),
           "multipliers": ("I32", [1], array.array("i", [0])),
           "shifts": ("I32", [1], array.array("i", [5]))}

header, data = {"__metadata__": {"macloom.graph": json.dumps(graph)}}, b""
for name, (dtype, shape, values) in sorted(tensors.items(), key=lambda t: -t[1][2].itemsize):
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + values.itemsize * len(values)]}
    data += values.tobytes()
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)
