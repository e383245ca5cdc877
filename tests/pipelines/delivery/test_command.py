"""Facts about `moodwire deliver` as a person runs it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from pipelines.command_line import INCOMPLETE, MISUSED, OK, main
from pipelines.delivery.command import _alone
from pipelines.delivery.outbox import Outbox
from schemas.records import encode
from tests.pipelines.delivery.receiver import SECRET, a_desk, states


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_SECRET", SECRET)


def prepare(folder: Path, url: str) -> list[str]:
    """A run folder and settings; the arguments that name them."""
    (folder / "alerts.jsonl").write_bytes(
        b"".join(encode(a) + b"\n" for a in states("6948468ed55fd23c"))
    )
    settings = folder / "moodwire.yaml"
    settings.write_text(
        f"""
delivery:
  state: {folder}/state/delivery.sqlite
  retry_seconds: [3600]
  webhooks:
    - name: desk
      url: {url}
      secrets: ["${{DESK_SECRET}}"]
      allow_private_addresses: true
"""
    )
    return ["--settings", str(settings)]


def run(given: list[str], folder: Path, *more: str) -> int:
    return main(["deliver", *given, "--folder", str(folder), "--from-start", "--once", *more])


def test_a_run_folder_is_delivered_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with a_desk() as desk:
        given = prepare(tmp_path, desk.url)
        codes = [run(given, tmp_path), run(given, tmp_path)]

    assert codes == [OK, OK]
    assert len(desk.requests) == 3  # `updated` is not asked for
    assert "desk  opened severity 4 Nova  taken" in capsys.readouterr().out


def test_what_was_not_taken_is_said_listed_and_sent_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_desk(410) as desk:
        given = prepare(tmp_path, desk.url)
        assert run(given, tmp_path) == INCOMPLETE
        assert main(["deliver", "list", "--state", "dead", *given]) == OK
        assert "HTTP 410" in capsys.readouterr().out
        assert main(["deliver", "enable", "--receiver", "desk", *given]) == OK
        assert main(["deliver", "replay", "--receiver", "desk", *given]) == OK
        assert run(given, tmp_path) == OK

    assert len(desk.requests) == 4


def test_what_a_receiver_says_is_shown_as_it_is_with_ids_that_can_be_named_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_desk(500, 500) as desk:
        desk.says = b"no route [/hooks]"
        given = prepare(tmp_path, desk.url)
        assert run(given, tmp_path) == INCOMPLETE
        assert "refused: HTTP 500 no route [/hooks]" in capsys.readouterr().out
        assert main(["deliver", "list", *given]) == OK

    shown = capsys.readouterr().out
    with closing(Outbox(tmp_path / "state" / "delivery.sqlite")) as outbox:
        ids = [sent.message_id for sent in outbox.sent()]
    assert "[/hooks]" in shown and all(name in shown.split() for name in ids)


def test_misuse_is_one_line_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = prepare(tmp_path, "http://127.0.0.1:9/")

    assert main(["deliver", "list", *given]) == MISUSED
    assert "nothing was delivered yet" in capsys.readouterr().err
    Outbox(tmp_path / "state" / "delivery.sqlite").close()
    assert main(["deliver", "replay", *given]) == MISUSED
    assert "--receiver" in capsys.readouterr().err


def test_two_services_do_not_share_an_outbox(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = prepare(tmp_path, "http://127.0.0.1:9/")
    state = tmp_path / "state" / "delivery.sqlite"
    with _alone(state):
        assert run(given, tmp_path) == MISUSED

    assert "another `moodwire deliver`" in capsys.readouterr().err
