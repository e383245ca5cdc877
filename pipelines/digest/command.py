"""`moodwire digest`: a day of each brand as a page, as text and as charts."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rich.console import Console

from pipelines.command_line import OK
from pipelines.digest import page, words
from pipelines.digest.build import build_reader
from pipelines.digest.days import zone_of
from pipelines.digest.facts import Digest
from pipelines.settings import Settings, SettingsError, load_settings
from transforms.ingest import NoInputError


def digest(args: argparse.Namespace, console: Console) -> int:
    """Run `moodwire digest`.

    Raises:
        SettingsError: the settings name no topics, or an option does not fit.
        NoInputError: no brand has a window on that day.
        KafkaSettingsError: no broker answers, or it lacks a topic.
    """
    settings = _settings(args)
    wanted = settings.digest
    timezone = _timezone(args.timezone) or (wanted.timezone if wanted else "UTC")
    brands = tuple(args.brand or (wanted.brands if wanted else ()))
    today = datetime.now(UTC).astimezone(zone_of(timezone)).date()
    day = args.day or today - timedelta(days=1)
    reader = build_reader(settings, Path(args.run) if args.run else None, brands, timezone)
    found, span = reader.look(day)
    if not any(brand.windows for brand in found.brands):
        raise NoInputError(_nothing(day, brands, span))
    _write(found, Path(args.output), console)
    return OK


def _settings(args: argparse.Namespace) -> Settings:
    """Those that are named; a run folder alone needs none."""
    if args.settings is None:
        return Settings() if args.run else load_settings("moodwire.yaml")
    return load_settings(args.settings)


def _timezone(name: str | None) -> str | None:
    try:
        return name if name is None or zone_of(name) else None
    except ValueError as error:
        raise SettingsError(f"--timezone: {error}") from None


def _nothing(day: date, brands: tuple[str, ...], span: tuple[datetime, datetime] | None) -> str:
    whose = f" of {', '.join(brands)}" if brands else ""
    if span is None:
        return f"there are no windows{whose} at all; name a run that has trends, or other brands"
    first, last = (f"{moment:%Y-%m-%d}" for moment in span)
    return f"--day {day}: no window{whose} on that day; there are some from {first} to {last}"


def _write(digest: Digest, folder: Path, console: Console) -> None:
    """The page, the text and the charts; the text also to the terminal."""
    folder.mkdir(parents=True, exist_ok=True)
    charts, text = page.charts_of(digest), words.text_of(digest)
    name = f"digest-{digest.day}"
    html = page.page_of(digest, page.embedded(charts))
    (folder / f"{name}.html").write_text(html, encoding="utf-8")
    (folder / f"{name}.txt").write_text(f"{words.subject(digest)}\n\n{text}", encoding="utf-8")
    for file, image in charts.items():
        (folder / file).write_bytes(image)
    console.print(words.subject(digest), markup=False, highlight=False)
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    where = f"page, text and charts: {folder}/{name}*"
    console.print(where, markup=False, highlight=False, soft_wrap=True)
