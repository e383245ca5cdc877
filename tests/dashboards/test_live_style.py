from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "dashboards" / "live" / "static"
OURS = [path for path in STATIC.rglob("*.*") if "vendor" not in path.parts]
AA = 4.5  # WCAG 2.2, success criterion 1.4.3


def tokens(theme: str) -> dict[str, str]:
    css = (STATIC / "css" / "tokens.css").read_text()
    block = css.split(f'[data-theme="{theme}"] {{')[1].split("}")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("ground", ["page", "surface", "raised"])
@pytest.mark.parametrize("ink", ["ink", "ink-2", "ink-3", "negative", "positive"])
def test_text_stands_out_from_every_ground(theme: str, ground: str, ink: str) -> None:
    colours = tokens(theme)

    assert contrast(colours[ink], colours[ground]) >= AA


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_severity_stands_out_from_its_badge(theme: str) -> None:
    colours = tokens(theme)

    assert contrast(colours["page"], colours["negative"]) >= AA


def test_both_themes_name_the_same_colours() -> None:
    assert set(tokens("dark")) == set(tokens("light"))


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_our_files_are_short_and_fetch_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text()

    assert len(text.splitlines()) <= 300
    assert not re.search(r"https?://(?!www\.w3\.org/)\w", text)


@pytest.mark.parametrize("path", [p for p in OURS if p.suffix == ".js"], ids=lambda path: path.name)
def test_scripts_turn_no_text_into_markup(path: Path) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"

    assert not re.search(forbidden, path.read_text())


@pytest.mark.parametrize("folder", ["uplot", "inter"])
def test_what_is_vendored_brings_its_licence(folder: str) -> None:
    assert (STATIC / "vendor" / folder / "LICENSE").is_file()
