"""From settings to the service: each receiver gets plain arguments, none sees the settings."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.delivery.alertmanager import Alertmanager
from pipelines.delivery.digests import DailyDigests
from pipelines.delivery.outbound import Outbound, is_public
from pipelines.delivery.outbox import Message, Outbox
from pipelines.delivery.receivers import (
    Receiver,
    Refused,
    ServiceReceiver,
    WebhookReceiver,
    Wishes,
    secrets_are_usable,
)
from pipelines.delivery.service import OpenSource, Service
from pipelines.delivery.settings import (
    AlertmanagerSettings,
    ReceiverSettings,
    ServiceSettings,
    WebhookSettings,
)
from pipelines.delivery.sources import FolderSource, TopicSource
from pipelines.digest.build import build_reader
from pipelines.feedback import FEEDBACK_TOPIC
from pipelines.run_folder import FILES
from pipelines.settings import Settings, SettingsError
from pipelines.sinks import TOPICS

OnSent = Callable[[Message, Refused | None], None]


def build_service(
    settings: Settings, outbox: Outbox, folder: Path | None, from_start: bool, on_sent: OnSent
) -> Service:
    """The service as `settings` want it; alerts come from `folder` where one is given.

    Raises:
        SettingsError: nobody is named to deliver to, or a receiver cannot work as it is named.
        KafkaSettingsError: the alerts topic is missing.
    """
    delivery = settings.delivery
    receivers: list[Receiver] = [build_webhook(w, i) for i, w in enumerate(delivery.webhooks)]
    receivers += [
        build_chat(service, i, delivery.page_url) for i, service in enumerate(delivery.services)
    ]
    if not receivers and delivery.alertmanager is None:
        raise SettingsError(
            "delivery: names nobody to deliver to; give `webhooks`, `services` or `alertmanager`"
        )
    _require_names([receiver.name for receiver in receivers])
    return Service(
        open_source=choose_source(settings, outbox, folder, from_start),
        outbox=outbox,
        receivers=receivers,
        alertmanager=build_alertmanager(delivery.alertmanager, delivery.page_url),
        retry_seconds=delivery.retry_seconds,
        on_sent=on_sent,
        digests=build_digests(settings, outbox, folder, from_start),
    )


def build_digests(
    settings: Settings, outbox: Outbox, folder: Path | None, from_start: bool
) -> DailyDigests | None:
    """What makes the digest of each day; None where nobody asks for it.

    Raises:
        SettingsError: neither a run folder nor topics are there to make it of.
    """
    wanted = settings.digest
    if wanted is None:
        return None
    reader = build_reader(settings, folder, wanted.brands, wanted.timezone)
    return DailyDigests(
        compose=reader.digest,
        outbox=outbox,
        at=wanted.time,
        timezone=wanted.timezone,
        brands=wanted.brands,
        sinks=wanted.sinks,
        from_start=from_start,
    )


def choose_source(
    settings: Settings, outbox: Outbox, folder: Path | None, from_start: bool
) -> OpenSource:
    """The `alerts` topic that the settings publish to, or a run folder's file.

    Raises:
        SettingsError: neither is there.
    """
    if folder is not None:
        if not folder.is_dir():
            raise SettingsError(f"--folder {folder}: no such folder; name the --output of a run")
        return partial(FolderSource, folder / FILES["alerts"], outbox, from_start)
    if (kafka := settings.sinks.kafka) is not None:
        topic = f"{kafka.topic_prefix}{TOPICS['alerts']}"
        feedback = f"{kafka.topic_prefix}{FEEDBACK_TOPIC}"
        return partial(TopicSource, kafka.cluster, topic, feedback, outbox, from_start)
    raise SettingsError(
        "sinks.kafka: missing, so there is no topic of alerts to deliver from; add it, or name "
        "a run folder with --folder"
    )


def build_webhook(webhook: WebhookSettings, index: int) -> WebhookReceiver:
    """A signed webhook.

    Raises:
        SettingsError: its secret cannot sign, or its address is not public.
    """
    at = f"delivery.webhooks[{index}]"
    if not secrets_are_usable(webhook.secrets):
        raise SettingsError(
            f"{at}.secrets: each must be `whsec_` and the base64 of 24 bytes or more; make one "
            "with: echo whsec_$(openssl rand -base64 32)"
        )
    if not webhook.allow_private_addresses and _is_private(webhook.url):
        raise SettingsError(
            f"{at}.url: {urlsplit(webhook.url).hostname} is no address of the public internet; "
            f"where that is wanted, set {at}.allow_private_addresses: true"
        )
    outbound = Outbound(webhook.url, webhook.timeout_seconds, webhook.allow_private_addresses)
    return WebhookReceiver(webhook.name, _wishes(webhook), outbound, webhook.secrets)


def build_chat(service: ServiceSettings, index: int, page_url: str | None) -> ServiceReceiver:
    """An e-mail, chat or paging service.

    Raises:
        SettingsError: Apprise does not know its address.
    """
    try:
        return ServiceReceiver(service.name, _wishes(service), service.url, page_url)
    except ValueError as error:
        raise SettingsError(
            f"delivery.services[{index}].url: {error}; see https://appriseit.com/services"
        ) from None


def build_alertmanager(
    settings: AlertmanagerSettings | None, page_url: str | None
) -> Alertmanager | None:
    """The Alertmanager, if one is named. It is the operator's own, so it may be anywhere."""
    if settings is None:
        return None
    url = f"{settings.url.rstrip('/')}/api/v2/alerts"
    outbound = Outbound(url, settings.timeout_seconds, allow_private=True)
    wishes = Wishes(min_severity=settings.min_severity)
    return Alertmanager(wishes, outbound, settings.repeat_seconds, page_url)


def _wishes(receiver: ReceiverSettings) -> Wishes:
    return Wishes(receiver.min_severity, receiver.kinds, receiver.brands, receiver.events)


def _is_private(url: str) -> bool:
    """Whether a URL names a private address outright; names are looked up when they are used."""
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return not is_public(host)


def _require_names(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(
            f"delivery: two receivers are named {twice[0]!r}; what was sent is kept by name"
        )
