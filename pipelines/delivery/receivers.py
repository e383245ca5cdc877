"""Who alerts are sent to: what each wants to hear, and how one message reaches it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from pipelines.delivery.digests import DIGEST, digest_in
from pipelines.delivery.events import AlertEvent, Told, alert_in
from pipelines.delivery.outbound import Outbound
from pipelines.delivery.outbox import Message
from pipelines.delivery.wording import body_text, subject
from pipelines.digest import page, words
from pipelines.digest.facts import Digest
from schemas.records import Alert

GONE = 410


@dataclass(frozen=True)
class Refused:
    """A message was not taken: why, when the receiver wants it again, or that it never does."""

    said: str
    after_seconds: float | None = None
    gone: bool = False


@dataclass(frozen=True)
class Wishes:
    """What a receiver wants to hear of; an empty choice is all."""

    min_severity: int = 1
    kinds: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    events: tuple[AlertEvent, ...] = ()

    def include(self, alert: Alert, told: Told | None = None) -> bool:
        """Whether the alert matters to the receiver at all.

        One that it was `told` of does to its end, also if late posts make it milder.
        """
        return (
            (told is not None or alert.severity >= self.min_severity)
            and (not self.kinds or alert.kind in self.kinds)
            and (not self.brands or alert.brand in self.brands)
        )

    def include_event(self, event: AlertEvent) -> bool:
        """Whether what happened to it does."""
        return not self.events or event in self.events


class Receiver(Protocol):
    """Somebody whom messages are sent to, one after the other."""

    name: str
    wishes: Wishes

    def send(self, message: Message) -> Refused | None:
        """Send one message; None once it was taken."""

    def close(self) -> None:
        """Close connections."""


@dataclass
class WebhookReceiver:
    """Signed requests after Standard Webhooks 1.0.

    `webhook-id` is the same at every attempt, so that a receiver can tell a repetition. Every
    secret signs, so that one can be replaced: give the new one beside the old, let the receiver
    change, take the old one away. Anything but 2xx is a refusal; 410 wants nothing more, ever.
    """

    name: str
    wishes: Wishes
    outbound: Outbound
    secrets: tuple[str, ...] = field(repr=False)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def send(self, message: Message) -> Refused | None:
        """Post the message, signed as of now; None once it was taken."""
        try:
            answer = self.outbound.post(message.body, self._headers(message))
        except OSError as error:
            return Refused(str(error))
        if answer.refusal is None:
            return None
        return Refused(answer.refusal, answer.retry_after_seconds, gone=answer.status == GONE)

    def close(self) -> None:
        """Close the connections."""
        self.outbound.close()

    def _headers(self, message: Message) -> dict[str, str]:
        now, body = self.now(), message.body.decode()
        return {
            "webhook-id": message.message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(
                Webhook(secret).sign(message.message_id, now, body) for secret in self.secrets
            ),
        }


class _Said(logging.Handler):
    """Keeps the last complaint of a library that only logs why it failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


@dataclass
class ServiceReceiver:
    """E-mail, chat and paging services by their Apprise address (`mailto://…`, `slack://…`).

    A digest goes to mail as a page that shows its charts, to others as text with the charts
    attached where they take attachments.
    """

    name: str
    wishes: Wishes
    url: str = field(repr=False)
    page_url: str | None = None

    def __post_init__(self) -> None:
        import apprise  # it knows over a hundred services, and takes its time
        from apprise.plugins.email import NotifyEmail

        self._service: Any = apprise.Apprise.instantiate(self.url)
        if self._service is None:
            scheme = urlsplit(self.url).scheme or "no scheme"
            raise ValueError(f"not an address that Apprise knows ({scheme}://…)")
        self._is_mail = isinstance(self._service, NotifyEmail)
        if isinstance(self._service, NotifyEmail):
            self._service.inline = True  # a page may show what its mail carries

    def send(self, message: Message) -> Refused | None:
        """Put the alert or digest into words, hand them to the service; None once it took them."""
        if message.event == DIGEST:
            return self._notify(**self._digest(digest_in(message.body)))
        event, alert = alert_in(message.body)
        said = body_text(event, alert, self.page_url)
        return self._notify(title=subject(event, alert), body=said)

    def _digest(self, digest: Digest) -> dict[str, Any]:
        """What Apprise is to hand over."""
        from apprise import AppriseAttachment, NotifyFormat
        from apprise.attachment.memory import AttachMemory

        parts: dict[str, Any] = {"title": words.subject(digest)}
        if self._service.attachment_support:
            attach: Any = AttachMemory  # untyped
            charts = [
                attach(content=image, name=name, mimetype="image/png")
                for name, image in page.charts_of(digest).items()
            ]
            parts["attach"] = AppriseAttachment(charts) if charts else None
        if self._is_mail:
            page_body = page.page_of(digest, page.attached)
            return parts | {"body": page_body, "body_format": NotifyFormat.HTML}
        return parts | {"body": words.text_of(digest), "body_format": NotifyFormat.TEXT}

    def _notify(self, **parts: Any) -> Refused | None:
        said, log = _Said(), logging.getLogger("apprise")
        passed_on, log.propagate = log.propagate, False  # it may name the address, and its password
        log.addHandler(said)
        try:
            taken = self._service.notify(**parts)
        except Exception as error:  # each service of Apprise raises what it likes
            return Refused(f"{self._service.service_name}: {type(error).__name__}")
        finally:
            log.removeHandler(said)
            log.propagate = passed_on
        return None if taken else Refused(self._reason(said.text))

    def close(self) -> None:
        """Nothing stays open between messages."""

    def _reason(self, said: str) -> str:
        known = [self.url, *filter(None, (self._service.password, self._service.user))]
        for secret in known:
            said = said.replace(secret, "…")
        return f"{self._service.service_name} did not take it. {said}".strip()


def secrets_are_usable(secrets: Sequence[str]) -> bool:
    """Whether each is `whsec_` and base64 of 24 bytes or more (Standard Webhooks, "Signature")."""
    try:
        return bool(secrets) and all(
            secret.startswith("whsec_") and len(Webhook(secret)._whsecret) >= 24
            for secret in secrets
        )
    except (ValueError, RuntimeError):
        return False
