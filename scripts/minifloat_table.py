#!/usr/bin/env python3
"""Accuracy and SQNR of a network in integers and minifloats: the tables of docs/quantization.md.

Usage: scripts/minifloat_table.py MODEL INPUTS LABELS.csv [option of macloom quantize ...]
INPUTS: int8 codes of the model as macloom takes them, or a tar of 8-bit RGB images (R G B bytes).
The built macloom, or the one that $MACLOOM names, runs once per cell. Default options:
--per-channel --ranges mse.
"""
import csv
import json
import os
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile

FORMATS = ["e4m3", "e5m2", "e3m4", "e2m5", "e3m2", "e2m3", "e2m1"]
# Bits dropped so that 1,024 products of the largest codes fit 24 and 32 bits (numerics.md 9.4).
EXACT_BITS = {"e4m3": 47, "e5m2": 75, "e3m4": 33, "e2m5": 27, "e3m2": 29, "e2m3": 23, "e2m1": 19}
INTEGERS = [("INT8, affine", 8, 8, "affine"), ("INT8, shifts", 8, 8, "power-of-two"),
            ("INT4, 8-bit activations, affine", 4, 8, "affine"), ("INT4, affine", 4, 4, "affine")]


def cut(name, bits):
    return f"fixed{bits},saturate,drop{max(0, EXACT_BITS[name] - bits)}"


def image_codes(archive, labels, folder):
    """RGB bytes as the int8 codes byte - 128, in the order of the labels."""
    with open(labels, newline="") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    with tarfile.open(archive) as tar:
        images = [tar.extractfile(name).read() for name in names]
    side = int((len(images[0]) / 3) ** 0.5)
    header = "{'descr': '|i1', 'fortran_order': False, 'shape': (%d, %d, %d, 3), }" % (
        len(images), side, side)
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path = pathlib.Path(folder, "codes.npy")
    codes = b"".join(images).translate(bytes((i + 128) % 256 for i in range(256)))
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + codes)
    return str(path)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    model, inputs, labels = sys.argv[1:4]
    options = sys.argv[4:] or ["--per-channel", "--ranges", "mse"]
    here = pathlib.Path(__file__).resolve().parent
    macloom = os.environ.get("MACLOOM", str(here.parent / "build/cli/macloom"))
    with tempfile.TemporaryDirectory() as folder:
        if "rgb" in os.path.basename(inputs):
            inputs = image_codes(inputs, labels, folder)
        result = os.path.join(folder, "result.json")

        def run(*more):
            command = [macloom, "quantize", model, "--calibrate", inputs, "--evaluate", inputs,
                       "--labels", labels, "--json", result, *options, *more]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(done.stderr or done.stdout)
            with open(result) as file:
                return json.load(file)

        layers = {}
        print("| weights and activations | exact | cut to 24 bits | cut to 32 bits | fp16 | fp32 |")
        print("|---|---|---|---|---|---|", flush=True)
        for name, weights, activations, scales in INTEGERS:
            cell = run("--weights", str(weights), "--activations", str(activations), "--scales",
                       scales)
            layers[name] = cell["layers"]
            print(f"| {name} | {cell['correct']} ({cell['same_class_as_float']}) | | | | |",
                  flush=True)
        pairs = [(name, name) for name in FORMATS] + [("e4m3", "e5m2"), ("e2m1", "e4m3")]
        for weights, activations in pairs:
            line = weights if weights == activations else f"{weights} weights, {activations}"
            is_pair = weights != activations
            formats = ["--format", weights, "--activation-format", activations]
            text = f"| {line} |"
            for accumulator in ["exact", cut(weights, 24), cut(weights, 32), "fp16", "fp32"]:
                if is_pair and accumulator.startswith("fixed"):
                    text += " |"
                    continue
                cell = run(*formats, "--accumulator", accumulator, "--preset", "m4l16")
                text += f" {cell['correct']} ({cell['same_class_as_float']}) |"
                if accumulator == "exact":
                    layers[line] = cell["layers"]
            print(text, flush=True)
        print(f"\nfloat: {cell['float_correct']} of {cell['samples']}\n")
        columns = list(layers)
        print("| layer | " + " | ".join(columns) + " |")
        print("|---" * (len(columns) + 1) + "|")
        for layer in layers[columns[0]]:
            if layer["kind"] == "RESHAPE":
                continue
            # Integers of other scales may have other nodes: by name.
            cells = []
            for column in columns:
                found = [other for other in layers[column] if other["name"] == layer["name"]]
                cells.append(f"{found[0]['sqnr_db']:.1f}" if found else "-")
            print(f"| {layer['name']} | " + " | ".join(cells) + " |")


main()
