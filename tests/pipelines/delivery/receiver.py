"""A real receiver of webhooks, which answers as a test wants it to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from standardwebhooks import Webhook

from pipelines.delivery.outbound import Outbound
from pipelines.delivery.receivers import WebhookReceiver, Wishes
from schemas.records import Alert
from tests.dashboards.incidents import an_alert
from tests.servers import serving

SECRET = "whsec_" + "bW9vZHdpcmUtdGVzdC1zZWNyZXQtMDAwMDAwMDAwMDA="
OTHER_SECRET = "whsec_" + "bW9vZHdpcmUtdGVzdC1zZWNyZXQtMTExMTExMTExMTE="


@dataclass
class Request:
    """One request as it arrived, and when, in epoch seconds."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    def verify(self, secret: str = SECRET) -> None:
        """Fail unless the reference library accepts the signature."""
        Webhook(secret).verify(self.body, self.headers)


@dataclass
class Desk:
    """What a receiver got, and how it answers: a status and headers for each request in turn."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    hold: Callable[[], object] = lambda: None
    says: bytes = b""  # with every answer but 204


@contextmanager
def a_desk(*answers: int | tuple[int, dict[str, str]]) -> Iterator[Desk]:
    """A server on 127.0.0.1 that gives these answers in turn, then 204."""
    desk = Desk(answers=[a if isinstance(a, tuple) else (a, {}) for a in answers])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            desk.requests.append(Request(self.path, headers, body))
            status, extra = desk.answers.pop(0) if desk.answers else (204, {})
            desk.hold()
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            says = b"" if status == 204 else desk.says
            self.send_header("Content-Length", str(len(says)))
            self.end_headers()
            self.wfile.write(says)

        def log_message(self, *_: object) -> None:
            return None

    with serving(Handler) as address:
        desk.url = f"{address}/hook"
        yield desk


def a_webhook(
    url: str,
    name: str = "desk",
    *,
    wishes: Wishes | None = None,
    secrets: tuple[str, ...] = (SECRET,),
    timeout_seconds: float = 5.0,
    allow_private: bool = True,
) -> WebhookReceiver:
    """A receiver at that address."""
    outbound = Outbound(url, timeout_seconds, allow_private)
    return WebhookReceiver(name, wishes or Wishes(), outbound, secrets)


def states(alert_id: str = "a1", brand: str = "Nova") -> list[Alert]:
    """An incident as it is published: opens, grows, says the same again, gets worse, ends."""
    return [
        an_alert(alert_id, brand, severity=4, revision=1, title="opened"),
        an_alert(alert_id, brand, severity=4, revision=2, title="grown"),
        an_alert(alert_id, brand, severity=4, revision=3, title="grown"),
        an_alert(alert_id, brand, severity=7, revision=4, title="worse"),
        an_alert(alert_id, brand, severity=7, revision=5, title="over", status="resolved"),
    ]
