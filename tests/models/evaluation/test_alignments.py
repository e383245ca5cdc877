import gzip
import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from models.checkpoint import load_checkpoint
from models.evaluation import alignments
from models.evaluation.alignments import told_apart
from tests.models.tiny_model import a_saved_checkpoint
from tests.models.training.small_data import small_data

WAYS = ["none", "contrastive", "contrastive, adversarial 0.5"]


def test_places_that_mix_are_a_coin_to_the_nearer_centroid() -> None:
    order = np.random.default_rng(0)
    places = order.normal(size=(2, 4000, 8)).astype(np.float32)

    assert told_apart(*places) == pytest.approx(0.5, abs=0.02)
    assert told_apart(places[0], places[1] + 3) > 0.99


def tell_apart(data: Path) -> None:
    """Gives each pair a text of its own, but the first of both parts the same one."""
    for part in ("train", "validation"):
        file = data / f"pairs/mvsa_single/{part}.jsonl.gz"
        rows = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
        named = [{**row, "text": f"good {part} {n}" if n else "good"} for n, row in enumerate(rows)]
        file.write_bytes(gzip.compress("\n".join(map(json.dumps, named)).encode()))


def test_every_way_is_judged_on_pairs_that_it_never_saw_and_trained_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, checkpoint = small_data(tmp_path / "data", pairs=12), a_saved_checkpoint(tmp_path / "c")
    tell_apart(data)
    ways = alignments.prepare(data, load_checkpoint(checkpoint), tmp_path / "out", grid=3)
    groups = ways.pairs.groups.tolist()
    command = [
        *("alignments", "--data", str(data), "--output", str(tmp_path / "out")),
        *("--checkpoint", str(checkpoint), "--seeds", "1", "--adversarial", "0.5"),
    ]
    monkeypatch.setattr(sys, "argv", command)

    alignments.main()
    first = capsys.readouterr().out
    alignments.main()
    again = capsys.readouterr().out

    told = json.loads((tmp_path / "out/alignments.json").read_text())
    assert [one["way"] for one in told] == WAYS
    assert len(ways.fold.train) == 11
    assert {groups[row] for row in ways.fold.train}.isdisjoint(
        groups[row] for row in ways.fold.test
    )
    assert all(0 <= r["low"] <= r["value"] <= r["high"] <= 1 for r in told[1]["recall"].values())
    places = [np.load(tmp_path / f"out/{way}-seed0/places.npz")["image"] for way in WAYS]
    assert not any(np.allclose(*two) for two in itertools.combinations(places, 2))
    assert "align round" in first
    assert "align round" not in again
