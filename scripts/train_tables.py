#!/usr/bin/env python3
"""Prints accuracy, paired drop against the float twin and McNemar from train_tables.sh's results.

usage: train_tables.py OUT SETTING...
Drop: twin less fixed point over all runs, in points. Upper limit: one-sided 95 %, percentile
bootstrap that draws clips, all seeds of a clip together (2,000 draws, seed 1). McNemar: exact,
two-sided, seed by seed over all rotations.
"""
import collections
import json
import math
import pathlib
import random
import sys


def mcnemar(b, c):
    n = b + c
    tail = sum(math.comb(n, k) for k in range(min(b, c) + 1))
    return min(1.0, 2 * tail / 2**n) if n else 1.0


def row(out, setting):
    total = collections.Counter()
    clips = collections.defaultdict(list)
    seeds = collections.defaultdict(collections.Counter)
    curves = []
    for path in sorted((out / setting).glob("*/result.json")):
        result = json.loads(path.read_text())
        for name, label, twin, fixed in zip(result["clips"], result["labels"],
                                            result["twin_predictions"], result["predictions"]):
            twin, fixed = twin == label, fixed == label
            total.update(clips=1, twin=twin, fixed=fixed)
            clips[name].append(twin - fixed)
            seeds[result["seed"]].update(b=twin and not fixed, c=fixed and not twin)
        total.update(mismatches=result["golden_mismatches"], runs=1)
        lines = (path.parent / "curves.csv").read_text().splitlines()
        curves.append([float(x) for x in lines[-1].split(",")[-2:]])
    if not total["clips"]:
        sys.exit(f"train_tables: no results below {out / setting}")
    groups = [(sum(v), len(v)) for v in clips.values()]
    rng = random.Random(1)
    drops = []
    for _ in range(2000):
        drawn = rng.choices(groups, k=len(groups))
        drops.append(100 * sum(s for s, _ in drawn) / sum(n for _, n in drawn))
    drops.sort()
    percent = lambda part: f"{100 * total[part] / total['clips']:.2f}"
    drop = 100 * (total["twin"] - total["fixed"]) / total["clips"]
    values = ", ".join(f"{mcnemar(s['b'], s['c']):.2f}" for _, s in sorted(seeds.items()))
    ratio = sum(c[0] for c in curves) / len(curves)
    spread = sum(c[1] for c in curves) / len(curves)
    return (f"| {setting} | {total['runs']} | {total['clips']} | {percent('twin')} | {percent('fixed')} "
            f"| {drop:+.2f} | {drops[int(0.95 * len(drops))]:+.2f} | {values} | {ratio:.3f} "
            f"| {spread:.3f} | {total['mismatches']} |")


print("| setting | runs | clip results | twin % | fixed point % | drop | upper limit | McNemar p "
      "by seed | ACR/CE gradient | std of trained weights | clips differing from golden |")
print("|---|---|---|---|---|---|---|---|---|---|---|")
for setting in sys.argv[2:]:
    print(row(pathlib.Path(sys.argv[1]), setting))
