"""Finds secrets that stand in a settings file: it is copied, shown and committed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


def find_plain_secrets(raw: dict[str, Any]) -> Iterator[str]:
    """Keys that must hold nothing but a `${NAME}`, and hold something else.

    What is of a wrong type here is named by the conversion into settings.

    >>> list(find_plain_secrets({"serve": {"token": "${TOKEN}"}}))
    []
    >>> list(find_plain_secrets({"serve": {"token": "0123456789abcdef"}}))
    ['serve.token']
    """
    for key, given in _secrets(raw):
        for secret in given if isinstance(given, list) else [given]:
            if isinstance(secret, str) and not _REFERENCE.fullmatch(secret):
                yield key


def _secrets(raw: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Where secrets may stand, and what stands there."""
    delivery, serve = raw.get("delivery"), raw.get("serve")
    for group, key in (("webhooks", "secrets"), ("services", "url")):
        receivers = delivery.get(group) if isinstance(delivery, dict) else None
        for number, receiver in enumerate(receivers if isinstance(receivers, list) else ()):
            if isinstance(receiver, dict):
                yield f"delivery.{group}[{number}].{key}", receiver.get(key)
    if isinstance(serve, dict):
        yield "serve.token", serve.get("token")
