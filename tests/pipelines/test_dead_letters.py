"""Facts about dead letters: found by stage and cause, and delivered again as they came."""

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from pipelines.command_line import OK, main
from pipelines.dead_letters import NoDeadLettersError, delivery_of, print_letters, read_letters
from schemas.records import Position, Rejection, encode


def a_letter(offset: int, cause: str) -> Rejection:
    """A dead letter of stage decode, from a folder of files."""
    return Rejection(
        original=b'{"post_id": "1"}',
        position=Position("posts.jsonl", 0, offset),
        stage="decode",
        cause=cause,
        detail="what was wrong",
        channel="generic",
        root="/data",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    letters = [a_letter(1, "no_id"), a_letter(2, "not_json"), a_letter(1, "no_id")]
    lines = b"".join(encode(letter) + b"\n" for letter in letters)
    (tmp_path / "dead-letters.jsonl").write_bytes(lines)
    return tmp_path


def test_a_replay_from_a_folder_leaves_the_topics_of_the_run_alone(folder: Path) -> None:
    """Its windows hold the replayed posts alone, under keys of windows that the run told of."""
    settings = folder / "moodwire.yaml"
    settings.write_text(
        f"brands: [{{name: Nova}}]\nsource: {{path: {folder}}}\n"
        "privacy: {author_key: a secret of some length}\n"
        "sinks: {kafka: {bootstrap_servers: '127.0.0.1:1'}}\n"
    )

    code = main(["dead-letters", "replay", str(folder), "--settings", str(settings)])

    assert code == OK
    assert len((folder / "replayed" / "dead-letters.jsonl").read_bytes().splitlines()) == 2


def test_letters_are_found_once_each_by_cause(folder: Path) -> None:
    letters = read_letters(folder, stage=None, cause="no_id")

    assert [letter.position.offset for letter in letters] == [1]


def test_no_letters_of_a_cause_says_which_there_are(folder: Path) -> None:
    with pytest.raises(NoDeadLettersError, match="decode/no_id, decode/not_json"):
        read_letters(folder, stage="clean", cause=None)


def test_a_folder_without_dead_letters_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoDeadLettersError, match="refused nothing"):
        read_letters(tmp_path, None, None)


def test_a_letter_is_delivered_as_it_came_one_attempt_later() -> None:
    letter = a_letter(3, "no_id")

    delivery = delivery_of(letter)

    assert delivery.value == letter.original
    assert (delivery.position, delivery.root, delivery.channel) == (
        letter.position,
        "/data",
        "generic",
    )
    assert delivery.attempts == 2


def test_the_list_counts_causes_and_shows_records_on_demand(folder: Path) -> None:
    terminal = Console(file=io.StringIO(), width=100)

    print_letters(read_letters(folder, None, None), show=1, console=terminal)

    shown = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert "2 dead letters" in shown and "no_id" in shown
    assert "what was wrong" in shown


def test_the_place_of_a_letter_is_told_whole_and_as_it_is(tmp_path: Path) -> None:
    place = f"/srv/feeds/{'customer-' * 8}/[/x] posts.jsonl"
    letter = msgspec.structs.replace(a_letter(1, "empty"), position=Position(place, 0, 1207))
    terminal = Console(file=io.StringIO(), width=80)

    print_letters([letter], show=0, console=terminal)

    shown = terminal.file.getvalue()  # type: ignore[attr-defined]
    cells = "".join(line.split("│")[4].strip() for line in shown.splitlines() if "│" in line)
    assert cells.replace(" ", "") == f"{place}-0-1207".replace(" ", "")
