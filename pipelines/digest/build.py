"""From settings to what makes digests."""

from __future__ import annotations

from pathlib import Path

from pipelines.digest.facts import Frame
from pipelines.digest.sources import FolderSource, Reader, Source, TopicSource
from pipelines.settings import Settings, SettingsError


def build_reader(
    settings: Settings, folder: Path | None, brands: tuple[str, ...], timezone: str
) -> Reader:
    """What makes digests of a run folder where one is given, else of the topics.

    Raises:
        SettingsError: neither is there.
    """
    frame = Frame(title=settings.title, timezone=timezone, page_url=settings.delivery.page_url)
    named = brands or tuple(brand.name for brand in settings.brands)
    return Reader(_source(settings, folder), named, frame)


def _source(settings: Settings, folder: Path | None) -> Source:
    if folder is not None:
        if not folder.is_dir():
            raise SettingsError(f"{folder}: no such folder; name the --output of a run")
        return FolderSource(folder)
    if settings.sinks.kafka is None:
        raise SettingsError(
            "sinks.kafka: missing, so there are no topics to make a digest of; add it, or name a "
            "run folder"
        )
    return TopicSource(settings.sinks.kafka)
