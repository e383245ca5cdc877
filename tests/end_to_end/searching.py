"""The live page of a run folder with search, as `moodwire serve` offers it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dashboards.live.actions import Actions
from dashboards.live.follower import Follower
from dashboards.live.server import BackgroundServer
from pipelines.post_search import PostSearch
from pipelines.run_readings import FolderReadings

ALL_FOUND = "() => document.getElementById('found-progress').textContent.startsWith('Among')"


@contextmanager
def serving_search(folder: Path, actions: Actions | None = None) -> Iterator[str]:
    """Serve `folder`; the shipped model is loaded at the first search. Yields the address."""
    feed = Follower(folder)
    search = PostSearch(FolderReadings(folder), feed.rendition, index_folder=str(folder / "index"))
    with BackgroundServer(feed, port=0, actions=actions, search=search) as server:
        yield server.url
