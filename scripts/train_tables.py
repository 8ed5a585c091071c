#!/usr/bin/env python3
"""Prints the tables of docs/training.md from what train_tables.sh left in OUT.

usage: train_tables.py OUT SETTING...
Drop: twin less fixed point over all runs, in points. Upper limit: one-sided 95 %, percentile
bootstrap that draws clips, all seeds of a clip together (2,000 draws, seed 1). Interval of the
twin's and the fixed-point accuracy: Wilson, 95 %, of the mean over seeds as if of that many clips.
McNemar: exact, two-sided, seed by seed over all rotations. Definitions: docs/metrics.md.
"""
import collections
import json
import math
import pathlib
import random
import sys

DRAWS = 2000


def mcnemar(b, c):
    n = b + c
    tail = sum(math.comb(n, k) for k in range(min(b, c) + 1))
    return min(1.0, 2 * tail / 2**n) if n else 1.0


def wilson(share, n, z=1.959964):
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return f"{100 * share:.2f} ({100 * (middle - half):.1f} to {100 * (middle + half):.1f})"


def upper_limit(clips):
    groups = [(sum(v), len(v)) for v in clips.values()]
    rng = random.Random(1)
    drops = []
    for _ in range(DRAWS):
        drawn = rng.choices(groups, k=len(groups))
        drops.append(100 * sum(s for s, _ in drawn) / sum(n for _, n in drawn))
    drops.sort()
    return drops[math.ceil(0.95 * DRAWS) - 1]


def runs(out, setting, rotation="*"):
    for path in sorted((out / setting).glob(f"{rotation}-*/result.json")):
        lines = (path.parent / "curves.csv").read_text().splitlines()
        yield json.loads(path.read_text()), [float(x) for x in lines[-1].split(",")[-2:]]


def row(out, setting, rotation="*"):
    total = collections.Counter()
    clips = collections.defaultdict(list)
    seeds = collections.defaultdict(collections.Counter)
    curves = []
    for result, curve in runs(out, setting, rotation):
        for name, label, twin, fixed in zip(result["clips"], result["labels"],
                                            result["twin_predictions"], result["predictions"]):
            twin, fixed = twin == label, fixed == label
            total.update(clips=1, twin=twin, fixed=fixed)
            clips[name].append(twin - fixed)
            seeds[result["seed"]].update(b=twin and not fixed, c=fixed and not twin)
        total.update(mismatches=result["golden_mismatches"], runs=1, float=result["float_correct"])
        curves.append(curve)
    if not total["clips"]:
        return f"| {setting} | 0 |" + " |" * 9
    percent = lambda part: wilson(total[part] / total["clips"], len(clips))
    drop = 100 * (total["twin"] - total["fixed"]) / total["clips"]
    values = ", ".join(f"{mcnemar(s['b'], s['c']):.2f}" for _, s in sorted(seeds.items()))
    ratio = sum(c[0] for c in curves) / len(curves)
    spread = sum(c[1] for c in curves) / len(curves)
    return (f"| {setting} | {total['runs']} | {total['clips']} "
            f"| {100 * total['float'] / total['clips']:.2f} | {percent('twin')} "
            f"| {percent('fixed')} | {drop:+.2f} | {upper_limit(clips):+.2f} | {values} "
            f"| {ratio:.3f} / {spread:.3f} | {total['mismatches']} |")


def table(title, out, settings, rotation="*"):
    if not settings:
        return
    print(f"\n{title}\n\n| setting | runs | clip results | float % | twin % | fixed point % | drop "
          "| upper limit | McNemar p by seed | ACR/CE gradient, std of trained weights "
          "| clips differing from golden |\n" + "|---" * 11 + "|")
    for setting in settings:
        print(row(out, setting, rotation))


def post_training(out):
    right, samples = collections.Counter(), collections.Counter()
    for path in sorted((out / "ptq").glob("*.txt")):
        for line in path.read_text().splitlines():
            setting, ranges, counts = line.split("|")
            correct, exact, clips = map(int, counts.split())
            right.update({("float twin", setting): exact, (ranges, setting): correct})
            samples.update({("float twin", setting): clips, (ranges, setting): clips})
    if not samples:
        return
    rows, settings = (list(dict.fromkeys(key[i] for key in samples)) for i in (0, 1))
    clips = samples[rows[1], settings[0]]
    print(f"\nPost-training quantization of the twins, {clips} clips\n")
    print("| ranges, weights | " + " | ".join(settings) + " |\n" + "|---" * (len(settings) + 1) + "|")
    for row in rows:
        cells = (f"{100 * right[row, s] / samples[row, s]:.2f}" for s in settings)
        print(f"| {row.replace(' --', ', ')} | " + " | ".join(cells) + " |")


def main():
    out = pathlib.Path(sys.argv[1])
    names = sys.argv[2:]
    kind = lambda name: name.split("-")[0]
    plain = [n for n in names if kind(n) not in ("ablation", "speaker")]
    table("All rotations", out, plain)
    table("The official test set alone (takes 0 to 4)", out, plain, "0")
    table("One speaker left out", out, [n for n in names if kind(n) == "speaker"])
    table("Ablation, rotation 0", out, [n for n in names if kind(n) == "ablation"])
    post_training(out)


main()
