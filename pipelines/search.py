"""`moodwire search`: posts by a text, by an image, or like one another, and campaigns."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.checkpoint import DEFAULT_CHECKPOINT
from models.model_pointer import named_folder
from models.retrieval.campaigns import Campaign, find_campaigns
from models.retrieval.errors import SearchError
from models.retrieval.index import MODALITIES, Entry, Match, SlidingIndex, Vector
from models.scorer import ScoreInput, Scorer
from models.text_preparation import prepare_text
from pipelines.command_line import OK
from pipelines.search_index import Opened, Source, open_index
from transforms.images import Unusable, read_image

TITLES = {"text": "by their text", "image": "by their image", "post": "by all they have"}
SHOWN_CHARACTERS = 100


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Posts of one kind of closeness, closest first."""

    by: str
    matches: Sequence[Match]


def search(args: argparse.Namespace, console: Console) -> int:
    """Run `moodwire search`.

    Raises:
        NoInputError: there is nothing to search.
        SearchError: no such post, the image cannot be read, or the index cannot be used.
    """
    scorer = Scorer.load(named_folder(args.checkpoint or DEFAULT_CHECKPOINT))
    quiet = Console(stderr=True) if args.json else console
    opened = open_index(_source(args), Path(args.index), scorer, quiet)
    if args.forget is not None:
        _forget(opened, args.forget, quiet)
    elif args.campaigns:
        _show_campaigns(find_campaigns(opened.index)[: args.limit], args.json, console)
    else:
        _show(_answers(opened.index, scorer, args), args.json, console)
    return OK


def _source(args: argparse.Namespace) -> Source | None:
    if args.readings:
        return Source(Path(args.readings), readings=True)
    return Source(Path(args.input)) if args.input else None


def _forget(opened: Opened, post_id: str, console: Console) -> None:
    entry = _the_post(opened.index, post_id)
    opened.forget(entry)
    console.print(f"{entry.channel}/{entry.post_id} is forgotten", highlight=False)


def _answers(index: SlidingIndex, scorer: Scorer, args: argparse.Namespace) -> list[Answer]:
    if args.like is not None:
        entry = _the_post(index, args.like)
        return [Answer(by="post", matches=index.similar(entry.key, args.limit))]
    vector = _vector(scorer, args)
    return [
        Answer(by=modality, matches=index.search(vector, modality, args.limit))
        for modality in MODALITIES
    ]


def _vector(scorer: Scorer, args: argparse.Namespace) -> Vector:
    """Where the question lies in the joint space."""
    text = prepare_text(args.text or "")
    images = () if args.image is None else (_rendition(Path(args.image)),)
    [placed] = scorer.embed([ScoreInput(text, images)])
    vector = placed.image if images else placed.text
    if vector is None:
        raise SearchError("--text: holds no words; give a few, or an --image")
    return vector


def _rendition(file: Path) -> bytes:
    try:
        return read_image(file.read_bytes()).rendition
    except Unusable as error:
        raise SearchError(f"--image {file}: cannot be read ({error.detail})") from error
    except OSError as error:
        raise SearchError(f"--image {file}: cannot be read ({error.strerror})") from error


def _the_post(index: SlidingIndex, post_id: str) -> Entry:
    found = index.find(post_id)
    if len(found) == 1:
        return found[0]
    if not found:
        raise SearchError(f"{post_id}: no such post in the index")
    names = ", ".join(f"{one.channel}/{one.post_id}" for one in found)
    raise SearchError(f"{post_id}: several channels have it; name one of {names}")


def _show(answers: list[Answer], as_json: bool, console: Console) -> None:
    if as_json:
        print(msgspec.json.encode(answers).decode())
        return
    for answer in answers:
        if not answer.matches:
            console.print(f"No post can be found {TITLES[answer.by]}.")
            continue
        table = Table("cosine", "post", "time (UTC)", "image", "text", title=TITLES[answer.by])
        for match in answer.matches:
            table.add_row(f"{match.similarity:+.3f}", *_cells(match.entry))
        console.print(table, highlight=False)


def _cells(entry: Entry) -> tuple[str, str, str, str]:
    """Identity, time, image and text of a post; its words are no markup."""
    name = f"{entry.channel}/{entry.post_id}"
    time = datetime.fromtimestamp(entry.created_at, UTC).strftime("%Y-%m-%d %H:%M")
    text = " ".join(entry.text.split())[:SHOWN_CHARACTERS]
    return escape(name), time, "yes" if entry.thumbnail else "", escape(text)


def _show_campaigns(campaigns: list[Campaign], as_json: bool, console: Console) -> None:
    if as_json:
        print(msgspec.json.encode(campaigns).decode())
        return
    if not campaigns:
        console.print("No campaign: no few authors repeat themselves.")
        return
    columns = ("posts", "authors", "linked by", "from (UTC)", "until", "first text")
    table = Table(*columns, title="campaigns")
    for one in campaigns:
        first, last = _cells(one.posts[0]), _cells(one.posts[-1])
        links = {"text": one.text_links, "image": one.image_links}
        by = " and ".join(kind for kind, count in links.items() if count)
        table.add_row(str(len(one.posts)), str(one.authors), by, first[1], last[1], first[3])
    console.print(table, highlight=False)
