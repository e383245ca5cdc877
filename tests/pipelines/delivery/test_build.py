"""Facts about building the service: what cannot work is said before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.delivery.build import build_service
from pipelines.delivery.outbox import Outbox
from pipelines.delivery.settings import (
    AlertmanagerSettings,
    DeliverySettings,
    ServiceSettings,
    WebhookSettings,
)
from pipelines.settings import Settings, SettingsError
from tests.pipelines.delivery.receiver import SECRET

HOOK = WebhookSettings(name="desk", url="https://desk.example/", secrets=(SECRET,))


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "outbox.sqlite")
    yield box
    box.close()


def a_webhook(**changes: object) -> WebhookSettings:
    fields = {"name": "desk", "url": "https://desk.example/", "secrets": (SECRET,), **changes}
    return WebhookSettings(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("delivery", "key", "remedy"),
    [
        (DeliverySettings(), "delivery", "webhooks"),
        (DeliverySettings(webhooks=(HOOK, HOOK)), "delivery", "two receivers are named 'desk'"),
        (
            DeliverySettings(webhooks=(a_webhook(secrets=("abc",)),)),
            "webhooks[0].secrets",
            "openssl",
        ),
        (
            DeliverySettings(webhooks=(a_webhook(url="http://10.1.2.3/"),)),
            "webhooks[0].url",
            "allow_private_addresses",
        ),
        (
            DeliverySettings(webhooks=(a_webhook(url="http://localhost:1/"),)),
            "webhooks[0].url",
            "allow_private_addresses",
        ),
        (
            DeliverySettings(services=(ServiceSettings(name="chat", url="nowhere://x"),)),
            "services[0].url",
            "appriseit.com",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_its_key_and_remedy(
    tmp_path: Path, outbox: Outbox, delivery: DeliverySettings, key: str, remedy: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        build_service(Settings(delivery=delivery), outbox, tmp_path, False, lambda *_: None)

    assert key in str(refusal.value) and remedy in str(refusal.value)


def test_without_a_topic_or_a_folder_there_is_nothing_to_deliver(outbox: Outbox) -> None:
    settings = Settings(delivery=DeliverySettings(alertmanager=AlertmanagerSettings()))

    with pytest.raises(SettingsError, match=r"sinks\.kafka.*--folder"):
        build_service(settings, outbox, None, False, lambda *_: None)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, outbox: Outbox) -> None:
    settings = Settings(delivery=DeliverySettings(webhooks=(HOOK,)))

    with pytest.raises(SettingsError, match="no such folder"):
        build_service(settings, outbox, tmp_path / "none", False, lambda *_: None)
