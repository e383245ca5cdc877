"""What axe-core finds on a page, as far as it keeps somebody out."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = {"serious", "critical"}
# A page is dimmed until its stream is open.
UNDIMMED = "() => !document.body.hasAttribute('data-loading')"


def grave_findings(page: Page) -> list[str]:
    """Each serious or critical finding: the rule, what it asks for, and where it is broken.

    Colours in the middle of a change are nobody's contrast, so nothing moves meanwhile.
    """
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_function(UNDIMMED)
    found = Axe().run(page).response["violations"]
    page.emulate_media(reduced_motion="null")
    return [
        f"{rule['id']}: {rule['help']}: {node['target']}: {node['html'][:120]}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]
