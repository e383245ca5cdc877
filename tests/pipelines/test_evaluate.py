"""`moodwire evaluate` on a tiny model and labelled posts made on the spot."""

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from models.evaluation.card import BEGIN, END, figures_section
from models.evaluation.evaluate import STUDIES
from models.evaluation.records import Report, read_report
from pipelines import evaluate
from pipelines.command_line import MISUSED, OK, build_parser, main
from tests.models.evaluation.labelled_posts import some_labelled_posts
from tests.models.tiny_model import a_saved_checkpoint

ROOT = Path(__file__).parents[2]
CARDS = ROOT / "models/cards"
ROWS = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, a tiny model, a card, and what one whole evaluation wrote to `out`."""
    folder = tmp_path_factory.mktemp("evaluation")
    some_labelled_posts(folder / "data", ROWS)
    a_saved_checkpoint(folder / "model")
    (folder / "card.md").write_text(f"# Card\n{BEGIN}\nold\n{END}\nTerms.\n")
    assert main([*command(folder), "--card", str(folder / "card.md")]) == OK
    return folder


def command(folder: Path, output: str = "out") -> list[str]:
    """The command line for a folder."""
    places = {"--data": "data", "--checkpoint": "model", "--output": output}
    return ["evaluate", *(part for k, v in places.items() for part in (k, str(folder / v)))]


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    """The report of that evaluation."""
    return read_report(folder / "out")


def test_every_study_is_in_the_report(report: Report) -> None:
    assert set(report.tasks) == set(STUDIES[:5])
    assert report.tasks["irony"].rows == ROWS
    assert report.pairs is not None and report.pairs.rows == ROWS
    assert report.pooled is not None and report.pooled.rows == 4 * ROWS
    assert len(report.robustness) == 4 * 5 + 3
    assert report.fairness is not None and report.fairness.gaps
    assert report.model == "tiny-1"


def test_the_command_offers_the_studies_there_are() -> None:
    assert evaluate.STUDIES == STUDIES


def test_figures_have_intervals(report: Report) -> None:
    for task in report.tasks.values():
        for figure in (*task.figures.values(), task.scalings["temperature"].ece):
            assert 0 <= figure.low <= figure.high <= 1
    accuracy = report.tasks["sentiment"].figures["accuracy"]
    assert accuracy.low < accuracy.value < accuracy.high


def test_confusion_counts_every_row(report: Report) -> None:
    assert sum(map(sum, report.tasks["sentiment"].confusion)) == ROWS
    assert report.tasks["emotions"].confusion == []


def test_a_change_that_reaches_no_post_changes_nothing(report: Report) -> None:
    rows = {(row.task, row.change): row for row in report.robustness}

    assert rows["offence", "lower_case"].changed == pytest.approx(1 / 3, abs=1e-4)  # hashtags
    assert rows["sentiment", "no_emoji"].changed == pytest.approx(1 / 3, abs=1e-4)
    assert rows["pairs", "occluded"].changed == 1.0


def test_pictures_are_whole_and_small(folder: Path) -> None:
    pictures = sorted((folder / "out").glob("*.png"))

    assert len(pictures) == 5
    for picture in pictures:
        with Image.open(picture) as image:
            image.verify()
    assert sum(picture.stat().st_size for picture in pictures) < 1_000_000


def test_the_page_shows_its_pictures_and_headlines(folder: Path, report: Report) -> None:
    page = (folder / "out/report.md").read_text("utf-8")

    assert all(f"]({picture.name})" in page for picture in (folder / "out").glob("*.png"))
    assert str(report.tasks["sentiment"].figures["macro_recall"]) in page
    assert "Evaluation of tiny-1" in page


def test_the_card_has_the_figures_and_keeps_the_rest(folder: Path, report: Report) -> None:
    card = (folder / "card.md").read_text("utf-8")

    assert figures_section(report) in card
    assert card.startswith("# Card\n") and card.endswith("Terms.\n") and "\nold\n" not in card


def test_a_second_run_scores_nothing_and_says_the_same(
    folder: Path, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command(folder), "--tasks", "irony"]) == OK

    assert "24 scores reused" in capsys.readouterr().out
    assert read_report(folder / "out").tasks["irony"] == report.tasks["irony"]


def test_missing_data_is_told_with_the_layout(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "model").symlink_to(folder / "model")

    assert main(command(tmp_path)) == MISUSED

    said = capsys.readouterr().err
    assert "validation.jsonl.gz: no such file" in said and "pairs/mvsa_single" in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--limit", "3"], "--limit 3: give at least 10 rows"),
        (["--seed", "-1"], "--seed -1"),
        (["--tasks", "irony", "--card", "none.md"], "--card none.md: no such file"),
        (["--data", "nowhere"], "--data nowhere: no such folder"),
    ],
)
def test_misuse_names_the_option(
    folder: Path, options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command(folder, "other"), *options]) == MISUSED

    assert says in capsys.readouterr().err


def test_commands_of_the_page_are_understood() -> None:
    page = (ROOT / "docs/evaluation.md").read_text("utf-8")
    typed = re.findall(r"^\$ moodwire (.*)$", page, re.MULTILINE)

    assert len(typed) == 3
    for line in typed:
        build_parser().parse_args(shlex.split(line))


def test_every_option_and_study_is_on_the_page() -> None:
    page = (ROOT / "docs/evaluation.md").read_text("utf-8")
    options = re.findall(r"\"(--[a-z]+)\"", Path(evaluate.__file__).read_text("utf-8"))

    assert [option for option in options if f"`{option} " not in page] == []
    assert " ".join(STUDIES) in page


def test_the_shipped_card_says_what_its_report_says() -> None:
    report = read_report(CARDS / "moodwire-base")

    card = (CARDS / "moodwire-base.md").read_text("utf-8")
    assert f"# {report.model}" in card
    assert figures_section(report) in card
