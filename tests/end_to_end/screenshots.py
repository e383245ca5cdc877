"""Pictures of the live page, as docs/screenshots keeps them."""

from __future__ import annotations

import os
from pathlib import Path

from tests.end_to_end.browser import Visit, save_small

SCREENSHOTS = Path(__file__).parents[2] / "docs" / "screenshots"
MAX_PNG_BYTES = 400_000
PICTURES_ARE_THERE = """() => [...document.images].every((image) => image.complete
  || !image.checkVisibility() || image.getBoundingClientRect().top > innerHeight)"""


def take(visited: Visit, name: str, tmp_path: Path) -> None:
    """Kept in docs/screenshots when MOODWIRE_SCREENSHOTS is 1."""
    keep = os.environ.get("MOODWIRE_SCREENSHOTS") == "1"
    png = (SCREENSHOTS if keep else tmp_path) / f"{name}.png"
    visited.wait_for(PICTURES_ARE_THERE)
    visited.page.wait_for_timeout(800)  # motion has come to rest
    visited.page.screenshot(path=png)
    save_small(png)

    assert png.stat().st_size < MAX_PNG_BYTES
