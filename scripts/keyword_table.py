#!/usr/bin/env python3
"""Pools keyword runs of several speaker rotations: accuracy and FDR at fixed FRR.

usage: keyword_table.py RESULT.json...
Every run brings its own thresholds, from its validation speakers. Intervals: 95 %, percentile
bootstrap that draws speakers, all clips of a speaker together (2,000 draws, seed 1).
Definitions: docs/metrics.md.
"""
import collections
import json
import math
import random
import sys

DRAWS = 2000


def frr_and_fdr(clips):
    counts = collections.Counter()
    for truth, keyword, is_detected in clips:
        counts["keywords"] += truth >= 0
        counts["rejected"] += truth >= 0 and not is_detected
        counts["detected"] += is_detected
        counts["false"] += is_detected and keyword != truth
    return (100 * counts["rejected"] / max(counts["keywords"], 1),
            100 * counts["false"] / max(counts["detected"], 1))


def accuracy(clips):
    return (100 * sum(clips) / max(len(clips), 1),)


def with_interval(by_speaker, measure):
    speakers = list(by_speaker.values())
    rng = random.Random(1)
    drawn = [measure([c for s in rng.choices(speakers, k=len(speakers)) for c in s])
             for _ in range(DRAWS)]
    low, high = math.ceil(0.025 * DRAWS) - 1, math.ceil(0.975 * DRAWS) - 1
    texts = []
    for i, value in enumerate(measure([c for s in speakers for c in s])):
        values = sorted(d[i] for d in drawn)
        texts.append(f"{value:.1f} ({values[low]:.1f} to {values[high]:.1f})")
    return texts


def main():
    results = [json.load(open(path)) for path in sys.argv[1:]]
    if not results:
        sys.exit(__doc__)
    print("| network | accuracy % | " + " | ".join(
        f"FRR %, aimed at {p} | FDR % at {p} % FRR" for p in (5, 10)) + " |\n" + "|---" * 6 + "|")
    for network, predictions in (("twin", "twin_predictions"), ("fixed_point", "predictions")):
        right = collections.defaultdict(list)
        detections = [collections.defaultdict(list) for _ in range(2)]
        for result in results:
            found = result["detection"][network]
            for n, speaker in enumerate(result["detection"]["speakers"]):
                right[speaker].append(result["labels"][n] == result[predictions][n])
                for k, rate in enumerate(found["rates"]):
                    detections[k][speaker].append((found["truth"][n], found["keyword"][n],
                                                   found["score"][n] >= rate["threshold"]))
        cells = with_interval(right, accuracy)
        for detection in detections:
            cells += with_interval(detection, frr_and_fdr)
        print(f"| {network.replace('_', ' ')} | " + " | ".join(cells) + " |")


main()
