"""The table of docs/faults.md, made of the results."""

from __future__ import annotations

import re
from collections.abc import Iterable

from deploy.processes import REPOSITORY
from tests.end_to_end.chaos.faults import FAULTS
from tests.end_to_end.chaos.run import Result, is_exact

DOCUMENT = REPOSITORY / "docs" / "faults.md"
PLACE = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", re.DOTALL)
HEAD = (
    "| fault | runs | exact | posts in | Readings out | lost | double or differing "
    "| written again, same key and pane | of these differing: final / other "
    "| final Trends | differences in Trends / Alerts / dead letters | longest gap, s |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|\n"
)


def write_table(results: list[Result]) -> None:
    """Replace the table between its marks."""
    rows = "".join(
        row(FAULTS[name].title, [r for r in results if r["fault"] == name])
        for name in FAULTS
        if any(r["fault"] == name for r in results)
    )
    text = DOCUMENT.read_text(encoding="utf-8")
    found = PLACE.sub(lambda match: f"{match[1]}{HEAD}{rows}{match[2]}", text)
    DOCUMENT.write_text(found, encoding="utf-8")


def row(title: str, results: list[Result]) -> str:
    """One fault: its runs, each figure from the lowest to the highest."""
    judged = [r for r in results if "error" not in r]
    cells = [title, str(len(results)), str(sum(map(is_exact, results)))]
    if judged:
        cells += [
            span(r["posts_in"] for r in judged),
            span(r["readings_out"] for r in judged),
            span(r["lost"] for r in judged),
            span(r["extra"] + r["differing"] for r in judged),
            span(r["duplicates"]["by_key_pane"] for r in judged),
            f"{span(r['duplicates']['differing_final'] for r in judged)} / "
            f"{span(r['duplicates']['differing_other'] for r in judged)}",
            span(r["final_trends"] for r in judged),
            " / ".join(
                span(_differences(r, kind) for r in judged)
                for kind in ("trend", "alert", "dead_letter")
            ),
            span(r["recovery_seconds"] for r in judged),
        ]
    return f"| {' | '.join(cells)} |\n"


def span(values: Iterable[float]) -> str:
    """The lowest and the highest, or the one value that all share.

    >>> span([3, 1, 2]), span([2, 2])
    ('1–3', '2')
    """
    found = sorted(values)
    return f"{found[0]}" if found[0] == found[-1] else f"{found[0]}–{found[-1]}"


def _differences(result: Result, kind: str) -> int:
    found = result[f"{kind}_differences"]
    return int(found["missing"] + found["extra"] + found["differing"])
