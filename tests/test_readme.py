"""What the documents tell people to type works."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.command_line import build_parser

ROOT = Path(__file__).resolve().parents[1]
MOODWIRE = Path(sys.executable).parent / "moodwire"
# The others need a server or have no end: their arguments are checked alone.
RUN_FOR_REAL = {"score", "replay", "dead-letters"}


def typed_commands(document: str) -> list[tuple[str, str]]:
    """Each `$ command` of the document's console blocks, with the output shown under it."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    parts = re.split(r"^\$ (.*)\n", blocks, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def commands_of(document: str, program: str) -> list[str]:
    """The commands that start with `program`."""
    typed = [command for command, _ in typed_commands(document)]
    return [command for command in typed if command.split()[0] == program]


def test_the_readme_is_short() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 120


def test_every_command_is_of_a_kind_that_is_tested() -> None:
    first_words = {command.split()[0] for command, _ in typed_commands("README.md")}

    assert first_words <= {"make", "moodwire", "cp", "cat"}


@pytest.mark.parametrize(
    "command", commands_of("README.md", "make") + commands_of("CONTRIBUTING.md", "make")
)
def test_make_knows_what_is_asked_of_it(command: str) -> None:
    done = subprocess.run(
        ["make", "-n", *shlex.split(command)[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", commands_of("README.md", "moodwire"))
def test_moodwire_takes_these_arguments(command: str) -> None:
    build_parser().parse_args(shlex.split(command)[1:])


@pytest.mark.timeout(900)  # four starts of Python with torch and Beam
def test_the_readme_runs_from_top_to_bottom(tmp_path: Path) -> None:
    shutil.copy(ROOT / "moodwire.example.yaml", tmp_path)
    ran = []
    for command, shown in typed_commands("README.md"):
        program, *arguments = shlex.split(command)
        if program == "cat":
            (tmp_path / arguments[0]).write_text(shown, encoding="utf-8")
        elif program == "cp" or (program == "moodwire" and arguments[0] in RUN_FOR_REAL):
            run_typed(program, arguments, tmp_path)
            ran.append(arguments[0])

    assert set(ran) >= RUN_FOR_REAL
    assert (tmp_path / "readings.jsonl").read_text().count("\n") == 3
    assert (tmp_path / "out/readings.jsonl").read_text().count("\n") == 2
    assert "missing_field" in (tmp_path / "out/dead-letters.jsonl").read_text()
    assert (tmp_path / "out/trends.jsonl").exists()


def run_typed(program: str, arguments: list[str], folder: Path) -> None:
    """Runs one command in `folder`; it must end well."""
    line = [str(MOODWIRE) if program == "moodwire" else program, *arguments]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)

    assert done.returncode == 0, f"{shlex.join(line)}\n{(done.stdout + done.stderr)[-3000:]}"
