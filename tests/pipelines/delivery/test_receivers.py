"""Facts about receivers: signed, guarded, and what each answer leads to."""

from __future__ import annotations

import time
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from standardwebhooks import WebhookVerificationError

from pipelines.delivery.events import body_of, message_id_of
from pipelines.delivery.outbound import Outbound, is_public
from pipelines.delivery.outbox import Message
from pipelines.delivery.receivers import ServiceReceiver, Wishes, secrets_are_usable
from tests.dashboards.incidents import an_alert
from tests.pipelines.delivery.receiver import OTHER_SECRET, SECRET, a_desk, a_webhook
from tests.servers import free_port


def a_message(receiver: str = "desk", **fields: Any) -> Message:
    alert = an_alert("a1", "Nova", **fields)
    return Message(receiver, message_id_of(alert), "a1", "opened", body_of(alert, "opened"))


def test_the_reference_library_accepts_what_was_signed_and_nothing_else() -> None:
    with a_desk() as desk:
        assert a_webhook(desk.url).send(a_message()) is None

    (request,) = desk.requests
    request.verify()
    assert request.message_id == "a1-1"
    with pytest.raises(WebhookVerificationError):
        request.verify(OTHER_SECRET)
    request.body = request.body.replace(b"Nova", b"Vova")
    with pytest.raises(WebhookVerificationError):
        request.verify()


def test_while_a_secret_is_replaced_both_the_old_and_the_new_one_verify() -> None:
    with a_desk() as desk:
        a_webhook(desk.url, secrets=(OTHER_SECRET, SECRET)).send(a_message())

    desk.requests[0].verify(SECRET)
    desk.requests[0].verify(OTHER_SECRET)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_anything_but_2xx_is_refused_with_what_was_said(status: int) -> None:
    with a_desk(status) as desk:
        refused = a_webhook(desk.url).send(a_message())

    assert refused is not None and not refused.gone
    assert refused.said == f"HTTP {status}"


def test_a_receiver_says_when_it_wants_to_be_asked_again_and_when_never() -> None:
    with a_desk((429, {"Retry-After": "120"}), 410) as desk:
        webhook = a_webhook(desk.url)
        later, never = webhook.send(a_message()), webhook.send(a_message())

    assert later is not None and later.after_seconds == 120
    assert never is not None and never.gone


def test_a_slow_receiver_is_left_in_time() -> None:
    with a_desk() as desk:
        desk.hold = lambda: time.sleep(1.0)
        began = time.monotonic()
        refused = a_webhook(desk.url, timeout_seconds=0.2).send(a_message())

    assert refused is not None and "timed out" in refused.said
    assert time.monotonic() - began < 5  # the server's own second included


def test_redirects_are_not_followed_wherever_they_lead() -> None:
    with a_desk() as inside, a_desk((307, {"Location": inside.url})) as desk:
        refused = a_webhook(desk.url).send(a_message())

    assert refused is not None and refused.said.startswith("HTTP 307")
    assert inside.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_refused_before_anything_is_sent(host: str) -> None:
    with a_desk() as desk:
        port = desk.url.rpartition(":")[2]
        refused = a_webhook(f"http://{host}:{port}", allow_private=False).send(a_message())

    assert refused is not None and "allow_private_addresses" in refused.said
    assert desk.requests == []


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "169.254.169.254", "192.168.1.1", "0.0.0.0", "100.64.0.1", "fe80::1%eth0"),
        *("fd00::1", "::", "224.0.0.1", "2002:7f00:1::"),
    ],
)
def test_addresses_of_the_own_network_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_a_receiver_that_is_not_there_is_an_oserror_with_words() -> None:
    with pytest.raises(OSError, match="refused"):
        Outbound(f"http://127.0.0.1:{free_port()}/", 1.0, allow_private=True).post(b"{}", {})


def test_a_host_name_that_cannot_be_one_is_an_oserror_with_words() -> None:
    for allow_private in (True, False):
        with pytest.raises(OSError, match="label"):
            Outbound("http://desk..example/", 1.0, allow_private).post(b"{}", {})


def test_only_secrets_of_the_standards_form_and_length_are_usable() -> None:
    assert secrets_are_usable([SECRET, OTHER_SECRET])
    assert not secrets_are_usable([])
    assert not secrets_are_usable([SECRET.removeprefix("whsec_")])
    assert not secrets_are_usable(["whsec_c2hvcnQ="])
    assert not secrets_are_usable(["whsec_no base64"])


def test_secrets_are_never_shown() -> None:
    shown = repr(a_webhook("http://127.0.0.1:9/"))

    assert SECRET not in shown


class Mailbox:
    """A handler of a real SMTP server that keeps what it is given, or refuses it."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.verdict = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.verdict


def test_an_alert_arrives_as_mail_and_a_refusal_is_told_without_the_address() -> None:
    mailbox = Mailbox()
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    url = f"mailto://127.0.0.1:{port}?from=mood@example.org&to=desk@example.org&mode=insecure"
    receiver = ServiceReceiver("mail", Wishes(), url)
    try:
        taken = receiver.send(a_message(title="Nova: 40 people posting where 4 are usual"))
        mailbox.verdict = "554 no"
        refused = receiver.send(a_message())
    finally:
        controller.stop()

    assert taken is None
    assert "40 people posting" in mailbox.mails[0]["Subject"]
    assert refused is not None and url not in refused.said


def test_an_address_that_no_service_has_is_named_without_its_secrets() -> None:
    with pytest.raises(ValueError, match="nowhere://") as error:
        ServiceReceiver("chat", Wishes(), "nowhere://secret-token")

    assert "secret-token" not in str(error.value)
