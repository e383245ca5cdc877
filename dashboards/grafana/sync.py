"""Bring dashboards into a Grafana and see what differs; done twice it changes nothing."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from dashboards.grafana.board import Board
from dashboards.grafana.boards import BOARDS
from dashboards.grafana.client import Grafana
from dashboards.grafana.panels import SOURCE

FOLDER_UID, FOLDER_TITLE = "moodwire", "Moodwire"
SOURCE_NAME = "Moodwire Prometheus"
GIVEN_BY_GRAFANA = ("id", "version")  # it counts them itself

State = Literal["missing", "differs", "same"]


class Finding(NamedTuple):
    """How one part in Grafana stands to ours, with the lines that differ."""

    part: str
    state: State
    lines: tuple[str, ...] = ()


def compare(
    grafana: Grafana, prometheus_url: str, boards: Sequence[Board] = BOARDS
) -> list[Finding]:
    """What a push would change."""
    source, folder = grafana.data_source(SOURCE_NAME), grafana.folder(FOLDER_UID)
    found = [
        _finding("data source", data_source(prometheus_url), _known_part(source, prometheus_url)),
        Finding("folder", "missing" if folder is None else "same"),
    ]
    for board in boards:
        there = grafana.board(board.uid)
        found.append(_finding(board.uid, board.build(), there and plain(there["dashboard"])))
    return found


def push(grafana: Grafana, prometheus_url: str, boards: Sequence[Board] = BOARDS) -> list[Finding]:
    """Make or change what differs; returns what was found before."""
    found = compare(grafana, prometheus_url, boards)
    states = {finding.part: finding.state for finding in found}
    if states["data source"] != "same":
        known = grafana.data_source(SOURCE_NAME)
        grafana.put_data_source(data_source(prometheus_url), known)
    if states["folder"] == "missing":
        grafana.make_folder(FOLDER_TITLE, FOLDER_UID)
    for board in boards:
        if states[board.uid] != "same":
            grafana.put_board(board.build(), FOLDER_UID, "moodwire dashboards push")
    return found


def pull(grafana: Grafana, folder: Path, boards: Sequence[Board] = BOARDS) -> list[Path]:
    """Write what Grafana has of our dashboards to `folder`, to be looked at or kept."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for board in boards:
        if (there := grafana.board(board.uid)) is not None:
            path = folder / f"{board.uid}.json"
            path.write_text(text_of(plain(there["dashboard"])), encoding="utf-8")
            written.append(path)
    return written


def export(folder: Path, boards: Sequence[Board] = BOARDS) -> Iterator[Path]:
    """Write ours as files, for a Grafana that reads its provisioning from a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for board in boards:
        path = folder / f"{board.uid}.json"
        path.write_text(text_of(board.build()), encoding="utf-8")
        yield path


def data_source(prometheus_url: str) -> dict[str, Any]:
    """The Prometheus that all panels ask."""
    return {
        "name": SOURCE_NAME,
        "uid": SOURCE.uid,
        "type": SOURCE.type_val,
        "url": prometheus_url,
        "access": "proxy",
    }


def plain(board: dict[str, Any]) -> dict[str, Any]:
    """A dashboard without what Grafana adds."""
    return {key: value for key, value in board.items() if key not in GIVEN_BY_GRAFANA}


def text_of(value: Any) -> str:
    """JSON that can be compared line by line."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _known_part(found: dict[str, Any] | None, prometheus_url: str) -> dict[str, Any] | None:
    """Of a data source, what we say about it."""
    if found is None:
        return None
    return {key: found.get(key) for key in data_source(prometheus_url)}


def _finding(part: str, ours: dict[str, Any], there: dict[str, Any] | None) -> Finding:
    if there is None:
        return Finding(part, "missing")
    old, new = text_of(there).splitlines(), text_of(plain(ours)).splitlines()
    lines = tuple(difflib.unified_diff(old, new, "in Grafana", "ours", lineterm="", n=1))
    return Finding(part, "differs" if lines else "same", lines)
