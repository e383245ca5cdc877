"""`moodwire explain`: why the posts of a file were read as they were, one page each."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from models.checkpoint import DEFAULT_CHECKPOINT
from models.explanation.explainer import Explainer
from models.explanation.records import Explanation
from models.model_pointer import named_folder
from pipelines.command_line import INCOMPLETE, OK
from pipelines.explain_page import build_page, page, title_of
from pipelines.score import prepare_lines, require_lines, write_lines
from pipelines.whole_files import written
from schemas.records import Post, Rejection
from transforms.readings import score_input

INDEX_FILE = "index.html"
JSON_FILE = "explanations.jsonl"
REJECTED_FILE = "rejected.jsonl"
SHOWN_CHARACTERS = 160


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `explanations.jsonl`, and the page that shows it."""

    channel: str
    post_id: str
    page: str
    explanation: Explanation


@dataclass
class _Outcome:
    explained: list[Explained] = field(default_factory=list)
    refused: list[Rejection] = field(default_factory=list)


def explain(args: argparse.Namespace, console: Console) -> int:
    """Run `moodwire explain`.

    Raises:
        NoInputError: the input is not a file.
    """
    source, folder = Path(args.input), Path(args.output)
    require_lines(source)
    explainer = Explainer.load(named_folder(args.checkpoint or DEFAULT_CHECKPOINT))
    items = prepare_lines((str(source),))
    outcome = _explain_all(explainer, islice(items, args.limit), folder, console)
    _write_index(outcome.explained, source.name, folder)
    with written(folder / JSON_FILE) as stream:
        write_lines(stream, outcome.explained)
    with written(folder / REJECTED_FILE) as stream:
        write_lines(stream, outcome.refused)
    console.print(
        f"{len(outcome.explained):,} posts explained, {len(outcome.refused):,} lines refused; "
        f"open {folder / INDEX_FILE}",
        highlight=False,
    )
    return INCOMPLETE if outcome.refused else OK


def _explain_all(
    explainer: Explainer, items: Iterator[Any], folder: Path, console: Console
) -> _Outcome:
    outcome = _Outcome()
    columns = (*Progress.get_default_columns()[:1], BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        lines = list(progress.track(items, description="reading lines"))
        for number, item in enumerate(progress.track(lines, description="explaining"), start=1):
            if isinstance(item, Rejection):
                outcome.refused.append(item)
            else:
                outcome.explained.append(_explain_one(explainer, item, number, folder))
    return outcome


def _explain_one(explainer: Explainer, post: Post, number: int, folder: Path) -> Explained:
    """Explains a post and writes its page, named by its line: post ids are not to be trusted."""
    item = score_input(post)
    told = explainer.explain(item)
    name = f"post-{number:06d}.html"
    with written(folder / name) as stream:
        stream.write(build_page(title_of(post.post_id), told, item.images).encode())
    return Explained(channel=post.channel, post_id=post.post_id, page=name, explanation=told)


def _write_index(explained: list[Explained], source: str, folder: Path) -> None:
    head = "<th>post</th><th>read as</th><th>α image</th><th>mismatch</th><th>text</th>"
    rows = "".join(map(_index_row, explained))
    body = f"<table><tr>{head}</tr>{rows}</table>"
    with written(folder / INDEX_FILE) as stream:
        stream.write(page(f"Why the posts of {source} were read so", body).encode())


def _index_row(one: Explained) -> str:
    told = one.explanation
    mismatch = "" if told.mismatch is None else f"{told.mismatch:.3f}"
    return (
        f'<tr><td><a href="{one.page}">{escape(one.post_id)}</a></td>'
        f"<td>{told.sentiment}, {told.probability:.0%}</td><td>{told.alpha_image:.0%}</td>"
        f'<td>{mismatch}</td><td dir="auto">{escape(told.text[:SHOWN_CHARACTERS])}</td></tr>'
    )
