"""What a key of the count detector costs: `python -m benchmarks.detection_cost --keys 100000`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any

import msgspec

from benchmarks.memory import megabytes
from models.detection.count_detector import ALERTS_PER_WEEK, AlertGate, CountDetector, score_at

STEP = 300
LEARNED = 4 * 288  # rows: past the warm-up


class Key(msgspec.Struct):
    """All that is kept of one series."""

    detector: CountDetector
    gate: AlertGate


def measure_cost(sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """Cost at each number of keys, each in a process of its own."""
    found = []
    for keys in sizes:
        command = [sys.executable, "-m", "benchmarks.detection_cost", "--keys", str(keys)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(shown.stdout.splitlines()[-1]))
        print(found[-1], flush=True)
    return found


def cost_of(keys: int) -> dict[str, Any]:
    """Memory of so many keys, and the processor time of a row of each."""
    data = msgspec.msgpack.encode(_learned_key())
    decoder = msgspec.msgpack.Decoder(Key)
    before = megabytes(os.getpid()) or 0.0
    held = [decoder.decode(data) for _ in range(keys)]
    grown = (megabytes(os.getpid()) or 0.0) - before
    started = time.process_time()
    now, threshold = LEARNED * STEP, score_at(ALERTS_PER_WEEK["medium"])
    for key in held:
        score = key.detector.score_one(now, 30).anomaly_score
        key.gate.update(now, score, threshold)
        key.detector.learn_one(now, 30)
    spent = time.process_time() - started
    return {
        "keys": keys,
        "megabytes": round(grown, 1),
        "bytes_in_memory": round(grown * 2**20 / keys),
        "bytes_of_state": len(data),
        "micros_per_row": round(spent / keys * 1e6, 1),
    }


def _learned_key() -> Key:
    key = Key(CountDetector(), AlertGate())
    for row in range(LEARNED):
        key.detector.learn_one(row * STEP, 20 + row * 7 % 23)
    return key


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=100_000)
    print(json.dumps(cost_of(parser.parse_args().keys)))
