"""What axe-core finds on a page, as far as it keeps somebody out."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = {"serious", "critical"}
# Colours in the middle of a change are nobody's contrast.
AT_REST = """() => Promise.all(document.getAnimations()
  .filter((one) => one instanceof CSSTransition).map((one) => one.finished.catch(() => null)))"""


def grave_findings(page: Page) -> list[str]:
    """Each serious or critical finding: the rule, what it asks for, and where it is broken."""
    page.evaluate(AT_REST)
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {rule['help']}: {node['target']}: {node['html'][:120]}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]
