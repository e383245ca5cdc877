"""What this house asks of all code and documents in it."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import msgspec
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipelines.settings import Settings
from schemas.metrics import METRICS

ROOT = Path(__file__).resolve().parents[1]
OURS = ("pipelines", "transforms", "models", "schemas", "dashboards")
WRITTEN = {".py", ".md", ".js", ".css", ".html", ".yaml", ".toml", ".sh", ""}
LONGEST = 300
REASON = "Long because: "
# A framework calls these and its own documentation says what they mean.
CALLED_BY_FRAMEWORKS = {
    *("expand", "process", "setup", "start_bundle", "finish_bundle", "teardown"),
    *("forward", "create_accumulator", "add_input", "merge_accumulators", "extract_output"),
    *("current_restriction", "current_progress", "try_claim", "try_split", "check_done"),
    *("initial_restriction", "create_tracker", "split", "restriction_size", "restriction_coder"),
    *("initial_estimator_state", "create_watermark_estimator", "estimator_state_coder"),
    *("current_watermark", "observe_timestamp", "get_estimator_state"),
    *("is_bounded", "is_deterministic", "encode", "decode", "run_inference", "load_model"),
}


@cache
def project_files() -> list[Path]:
    """The files of this checkout that git knows or would take in, without what others wrote."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / line for line in listed.stdout.splitlines()]
    return [file for file in files if file.is_file() and "vendor" not in file.parts]


def our_modules() -> list[Path]:
    """The Python files that ship or build what ships."""
    folders = {ROOT / name for name in (*OURS, "deploy")}
    return [
        file for file in project_files() if file.suffix == ".py" and folders & set(file.parents)
    ]


def documents() -> list[Path]:
    """Every Markdown file."""
    return [file for file in project_files() if file.suffix == ".md"]


def test_no_file_is_long_without_a_reason() -> None:
    long = [
        f"{file.relative_to(ROOT)}: {len(lines)} lines"
        for file in project_files()
        if file.suffix in WRITTEN and file.name not in {"LICENSE", "CHANGELOG.md"}
        if len(lines := file.read_text(encoding="utf-8").splitlines()) > LONGEST
        if not any(REASON in line for line in lines[:10])
    ]

    assert long == [], f"split it, or write a line with '{REASON}...' at its top"


def undocumented(file: Path) -> Iterator[str]:
    """Public names of a module that have no docstring."""
    module = ast.parse(file.read_text(encoding="utf-8"))
    if ast.get_docstring(module) is None:
        yield "the module"
    for node in module.body:
        yield from undocumented_names(node, "")


def undocumented_names(node: ast.stmt, inside: str) -> Iterator[str]:
    """The name of `node` and of what it holds, where public and without docstring."""
    if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return
    if node.name.startswith("_") or (inside and node.name in CALLED_BY_FRAMEWORKS):
        return
    if ast.get_docstring(node) is None:
        yield inside + node.name
    if isinstance(node, ast.ClassDef):
        for member in node.body:
            yield from undocumented_names(member, f"{node.name}.")


def test_everything_public_says_what_it_is() -> None:
    silent = [
        f"{file.relative_to(ROOT)}: {name}" for file in our_modules() for name in undocumented(file)
    ]

    assert silent == []


def imported_packages(file: Path) -> set[str]:
    """Top-level names that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def declared(*extras: str) -> set[str]:
    """Names of the distributions that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs = list(project["dependencies"])
    for extra in extras:
        needs += project["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(need).name) for need in needs}


def test_every_import_is_a_declared_dependency() -> None:
    distributions = packages_distributions()
    runtime, training = declared("confluent"), declared("train")
    missing = set()
    from_checkout = {ROOT / "models/training", ROOT / "models/evaluation"}
    for file in our_modules():
        allowed = training if from_checkout & set(file.parents) else runtime
        for name in imported_packages(file) & distributions.keys() - set(OURS):
            brought_by = {canonicalize_name(distribution) for distribution in distributions[name]}
            if not brought_by & allowed:
                missing.add(f"{file.relative_to(ROOT)}: {name} ({', '.join(sorted(brought_by))})")

    assert sorted(missing) == []


def test_every_metric_is_documented() -> None:
    text = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}

    assert rows.keys() == {metric.name for metric in METRICS}
    for metric in METRICS:
        assert metric.kind in rows[metric.name], metric.name
        assert all(f"`{label}`" in rows[metric.name] for label in metric.labels), metric.name


def setting_rows(kind: type[msgspec.Struct], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted name and default of every key that a settings file may hold."""
    for field in msgspec.structs.fields(kind):
        group = group_in(field.type)
        if group is None:
            yield prefix + field.encode_name, as_written(field)
        else:
            yield from setting_rows(group, f"{prefix}{field.encode_name}.")


def as_written(field: msgspec.structs.FieldInfo) -> str:
    """A default as a person would write it in YAML."""
    value = field.default
    if field.required:
        return "required"
    if value is None or value == "":
        return "–"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def group_in(annotation: object) -> type[msgspec.Struct] | None:
    """The settings group inside an annotation such as `tuple[Group, ...]` or `Group | None`."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    inner = [group_in(part) for part in getattr(annotation, "__args__", ())]
    return next((group for group in inner if group is not None), None)


def test_every_setting_is_documented_with_its_default_and_nothing_else() -> None:
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([a-z_.]+)` \| (.*?) \|", text, re.MULTILINE)

    assert dict(documented) == dict(setting_rows(Settings))


@pytest.mark.parametrize("document", documents(), ids=lambda file: str(file.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    local = [target for target in targets if "://" not in target and "@" not in target]

    assert [target for target in local if not (document.parent / target).exists()] == []


def test_the_index_lists_every_decision() -> None:
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")

    assert [file.name for file in folder.glob("[0-9]*.md") if f"({file.name})" not in index] == []


def test_every_make_target_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split()

    assert phony == re.findall(r"^([a-z]+):.*## .+$", text, re.MULTILINE)
