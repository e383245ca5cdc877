"""What is shipped: to people as a wheel, to Beam's workers as the archive of setup.py."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Run from a checkout: they make what is shipped.
NOT_SHIPPED = ("models/training/", "models/evaluation/", "pipelines/demo/generate/")
PACKAGES = ("pipelines", "transforms", "models", "schemas", "dashboards")


def tracked_files() -> list[str]:
    """Paths of the checkout's files, relative to its root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of the checkout, without what earlier builds left there."""
    folder = tmp_path_factory.mktemp("copy")
    for name in tracked_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def shipped(copy: Path) -> set[str]:
    """What an installed Moodwire needs: its packages, without the tools that made their data."""
    files = [file for package in PACKAGES for file in (copy / package).rglob("*")]
    names = {str(file.relative_to(copy)) for file in files if file.is_file()}
    return {name for name in names if not name.startswith(NOT_SHIPPED)}


@pytest.fixture(scope="module")
def built(copy: Path, shipped: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive of the copy, and the wheel built from that archive."""
    out = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_file_of_the_packages(
    wheel: zipfile.ZipFile, shipped: set[str]
) -> None:
    missing = shipped - set(wheel.namelist())

    assert missing == set(), "name them in [tool.setuptools.package-data]"


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile, shipped: set[str]) -> None:
    strays = [
        name
        for name in set(wheel.namelist()) - shipped
        if not name.startswith("moodwire-") or ".dist-info/" not in name
    ]

    assert strays == []


@pytest.mark.parametrize(
    "name",
    [
        "dashboards/live/static/index.html",
        "models/cards/moodwire-base.md",
        "models/checkpoints/default/annotator.safetensors",
        "models/checkpoints/default/config.json",
        "models/checkpoints/default/weights.safetensors",
        "pipelines/demo/data/moodwire.yaml",
        "pipelines/demo/data/posts.jsonl.gz",
        "schemas/json/reading.schema.json",
    ],
)
def test_the_wheel_can_show_and_read_by_itself(wheel: zipfile.ZipFile, name: str) -> None:
    assert name in wheel.namelist()


def test_beam_workers_get_the_same_files(built: Path, shipped: set[str]) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert shipped - names == set()
    assert not any(name.startswith(NOT_SHIPPED) for name in names)


def test_the_licence_is_in_it(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/licenses/LICENSE")]

    assert b"Apache License" in wheel.read(name)


def test_the_console_script_resolves(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("/entry_points.txt")]

    assert b"moodwire = pipelines.command_line:main" in wheel.read(name)
    assert callable(EntryPoint("moodwire", "pipelines.command_line:main", "console_scripts").load())


def test_the_unpacked_wheel_answers_outside_the_checkout(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path / "site")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r});"
        "from pipelines.command_line import main; print(main.__code__.co_filename);"
        "main(['--help'])"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert said.stdout.startswith(str(tmp_path / "site"))
    assert "moodwire demo" in said.stdout
