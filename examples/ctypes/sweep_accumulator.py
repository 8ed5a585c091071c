"""How narrow may the accumulator be? Runs one input with every width, wrapping and saturating.

usage: python3 sweep_accumulator.py [MODEL]; MODEL is a .tflite or network file
"""
import random
import sys

import macloom

network = macloom.Network(sys.argv[1] if len(sys.argv) > 1 else "ds-cnn-untrained")
info = network.info
source = network.tensors[info.input_tensor]
print(f"{info.name.decode()}{' (untrained)' if info.is_untrained else ''}: input {source.format.decode()} {source.shape}")

draw = random.Random(1)
codes = [draw.randint(source.min_code, source.max_code) for _ in range(source.num_elements)]
network.run(codes)
exact = [network.tensor(i) for i in range(info.num_tensors)]
proved = max(node.required_accumulator_bits for node in network.nodes)
print(f"{proved} bits are proved to be enough for every input")

print("bits  policy    overflow events  wrong sums  tensors that differ")
for bits in range(proved, 11, -2):
    for policy, name in ((macloom.WRAP, "wrap"), (macloom.SATURATE, "saturate")):
        try:
            network.set_accumulation(bits, policy, products_per_step=16)
        except macloom.Error as error:
            print(f"{bits:4}  {name:8}  refused: {error}")
            continue
        network.run(codes)
        events = [network.events(i) for i in range(info.num_nodes)]
        total, wrong = sum(e.overflow_events for e in events), sum(e.wrong_outputs for e in events)
        different = sum(network.tensor(i) != exact[i] for i in range(info.num_tensors))
        print(f"{bits:4}  {name:8}  {total:15}  {wrong:10}  {different:19}")
        # The certificate and the counts must agree; `assert` would vanish under python3 -O.
        if bits == proved and (total, different) != (0, 0):
            sys.exit("sweep_accumulator: overflow at the proved width")
