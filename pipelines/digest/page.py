"""A digest as one HTML page: for mail programs, so tables and styles of their own."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import tzinfo
from html import escape

from pipelines.digest.charts import draw_course
from pipelines.digest.days import zone_of
from pipelines.digest.facts import BrandDay, Digest
from pipelines.digest.words import alert_lines, introduction, lines_of, notes, subject

BODY = "font:14px/1.5 system-ui,sans-serif;color:#1b1b1b;max-width:680px;margin:0 auto;padding:16px"
NAME = "padding:2px 16px 2px 0;color:#555;vertical-align:top;white-space:nowrap"
ALERT = "border-left:3px solid #d1495b;margin:8px 0;padding:2px 12px"
QUIET = "color:#555;font-size:13px"

AddressOf = Callable[[str], str]  # of a chart, by its name


def charts_of(digest: Digest) -> dict[str, bytes]:
    """A PNG for each brand that has posts on the day, by file name."""
    zone = zone_of(digest.timezone)
    return {
        chart_name(digest, number): draw_course(
            brand.stretches, [a.mark for a in brand.alerts], digest.since, digest.until, zone
        )
        for number, brand in enumerate(digest.brands)
        if brand.windows
    }


def chart_name(digest: Digest, number: int) -> str:
    """File name of the chart of a brand: its number keeps names apart that look alike.

    Only letters, digits and hyphens, since it is a part of addresses.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", digest.brands[number].brand.lower()).strip("-")
    return "-".join(filter(None, ["digest", str(digest.day), str(number + 1), plain])) + ".png"


def embedded(charts: dict[str, bytes]) -> AddressOf:
    """Addresses that hold the charts themselves, for a page that is one file."""
    return lambda name: f"data:image/png;base64,{base64.b64encode(charts[name]).decode()}"


def attached(name: str) -> str:
    """The address of a chart that a mail carries (RFC 2392)."""
    return f"cid:{name}"


def page_of(digest: Digest, address_of: AddressOf) -> str:
    """The whole page; whatever posts, people or settings said is escaped."""
    zone = zone_of(digest.timezone)
    title = escape(subject(digest))
    brands = (_brand(digest, number, zone, address_of) for number in range(len(digest.brands)))
    return "\n".join(
        [
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            "</head>",
            f'<body style="{BODY}"><h1 style="font-size:20px">{title}</h1>',
            f'<p style="{QUIET}">{escape(introduction(digest))}</p>',
            *brands,
            *(f'<p style="{QUIET}">{escape(note)}</p>' for note in notes(digest)),
            "</body></html>",
        ]
    )


def _brand(digest: Digest, number: int, zone: tzinfo, address_of: AddressOf) -> str:
    brand = digest.brands[number]
    rows = (
        f'<tr><td style="{NAME}">{escape(name)}</td><td>{escape(said)}</td></tr>'
        for name, said in lines_of(brand, zone)
    )
    return "\n".join(
        [
            f'<h2 style="font-size:17px;margin:24px 0 4px">{escape(brand.brand)}</h2>',
            f'<table style="border-collapse:collapse">{"".join(rows)}</table>',
            *_alerts(brand, zone, digest.page_url),
            *([_chart(digest, number, address_of)] if brand.windows else []),
        ]
    )


def _alerts(brand: BrandDay, zone: tzinfo, page_url: str | None) -> list[str]:
    told = (alert_lines(alert, zone, page_url) for alert in brand.alerts)
    return [
        f'<div style="{ALERT}"><strong>{escape(first)}</strong>'
        + "".join(f"<br>{_linked(line)}" for line in rest)
        + "</div>"
        for first, *rest in told
    ]


def _linked(line: str) -> str:
    shown = escape(line)
    is_link = line.startswith(("https://", "http://")) and " " not in line
    return f'<a href="{shown}">{shown}</a>' if is_link else shown


def _chart(digest: Digest, number: int, address_of: AddressOf) -> str:
    name = chart_name(digest, number)
    said = escape(f"Posts and valence of {digest.brands[number].brand} over the day")
    return f'<img src="{escape(address_of(name))}" alt="{said}" width="640" style="max-width:100%">'
