"""People who look at the live page, as far as its server knows: a first load, then a stream."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

AWAY_SECONDS = 2.0
PANE = 6  # place of the pane's number in a row, see dashboards.live.windows.Window
LONGEST_SILENCE_SECONDS = 30.0  # a heartbeat comes every ten


@dataclass
class Viewer:
    """Follows a page's stream on a thread of its own, from an id on, until it has seen a pane.

    Attributes:
        url: of the page.
        last_id: where the first load ended; later, what was heard last.
        sent: when each pane was sent, by its number and the monotonic clock.
        last_pane: the number that ends it, once it is known.
        leaves_after: updates after which it loses its connection once; never where None.
        lags: seconds from sending to hearing, of each pane heard.
        updates: how many came, and how many bytes they had.
        resets: how often everything was sent again.
    """

    url: str
    last_id: str
    sent: Mapping[int, float]
    last_pane: int | None = None
    leaves_after: int | None = None
    lags: dict[int, float] = field(default_factory=dict)
    updates: int = 0
    size_bytes: int = 0
    resets: int = 0

    def start(self) -> None:
        """Begin to follow."""
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait until it has seen the last pane, or patience ends."""
        self._thread.join(seconds)

    def _follow(self) -> None:
        while not self._has_seen_all():
            leaves = self._listen()
            if not leaves:
                return
            self.leaves_after = None
            time.sleep(AWAY_SECONDS)

    def _has_seen_all(self) -> bool:
        return self.last_pane is not None and self.last_pane in self.lags

    def _listen(self) -> bool:
        """Hear updates; whether it ended because the connection was to be lost."""
        place = urlsplit(self.url)
        assert place.hostname and place.port
        line = http.client.HTTPConnection(place.hostname, place.port, LONGEST_SILENCE_SECONDS)
        try:
            line.request("GET", "/events", headers={"Last-Event-ID": self.last_id})
            answer = line.getresponse()
            while not self._has_seen_all():
                text = answer.readline()
                if not text:
                    return False
                if text.startswith(b"data: {"):
                    self._hear(text)
                    if self.leaves_after is not None and self.updates >= self.leaves_after:
                        return True
            return False
        finally:
            line.close()

    def _hear(self, text: bytes) -> None:
        now = time.monotonic()
        update = json.loads(text.removeprefix(b"data: "))
        self.updates, self.size_bytes = self.updates + 1, self.size_bytes + len(text)
        self.resets += update["reset"]
        self.last_id = update["id"]
        for row in update["windows"]:
            if row[PANE] in self.sent:
                self.lags.setdefault(row[PANE], now - self.sent[row[PANE]])
