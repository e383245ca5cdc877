"""A real Chromium that looks at the live page, and what it noticed on the way."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTHS = "() => [document.documentElement.scrollWidth, innerWidth]"
SAYS = "([id, text]) => document.getElementById(id).textContent.includes(text)"
FOCUSED = "() => document.activeElement.id"
# How many points of each chart are painted.
PAINTED = """() => [...document.querySelectorAll('.plot canvas')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, place) => place % 4 === 3 && value > 0).length;
})"""
REMEDY = "no Chromium on PATH: install one, on Debian `apt-get install chromium`"


@dataclass(frozen=True)
class Look:
    """A viewport and a theme."""

    width: int
    height: int
    theme: Literal["light", "dark"]

    def __str__(self) -> str:
        return f"{self.width}-{self.theme}"


LOOKS = tuple(
    Look(width, height, theme)
    for width, height in ((1440, 900), (390, 844))
    for theme in ("light", "dark")
)
DESK, PHONE = LOOKS[1], LOOKS[2]


@dataclass
class Visit:
    """A page that was opened, with its complaints and the hosts that it asked."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def wait_for(self, script: str, *arguments: object) -> None:
        """Wait until `script`, a JavaScript function, returns something true."""
        self.page.wait_for_function(script, arg=list(arguments), timeout=15_000)


def find_browser() -> str:
    """Where the browser is.

    Raises:
        FileNotFoundError: there is none.
    """
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        raise FileNotFoundError(REMEDY)
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for as long as the context is open."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser, url: str, look: Look, pixel_ratio: float = 1) -> Iterator[Visit]:
    """The page at `url`, seen in one look, once its charts are drawn."""
    viewport = {"width": look.width, "height": look.height}
    context = browser.new_context(
        viewport=viewport,  # type: ignore[arg-type]
        color_scheme=look.theme,
        device_scale_factor=pixel_ratio,
    )
    visited = Visit(context.new_page())
    visited.page.on("console", _if_bad(visited.complaints))
    visited.page.on("pageerror", lambda error: visited.complaints.append(str(error)))
    visited.page.on("request", lambda request: visited.hosts.add(_host(request.url)))
    visited.page.goto(url)
    visited.wait_for("() => document.querySelectorAll('.plot canvas').length === 3")
    yield visited
    context.close()


def _if_bad(complaints: list[str]) -> Callable[..., None]:
    def listen(message: object) -> None:
        if getattr(message, "type", "") in {"error", "warning"}:
            complaints.append(getattr(message, "text", ""))

    return listen


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def save_small(png: Path) -> None:
    """Write `png` again with the fewest bytes that show the same page: 256 colours of its own."""
    from PIL import Image

    with Image.open(png) as image:
        small = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(png, optimize=True)
