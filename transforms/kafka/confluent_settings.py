"""A cluster's addresses and security in the words of the C client, librdkafka."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from transforms.kafka.access import ANSWER_MS, RECONNECT_MS
from transforms.kafka.cluster import Cluster, Security
from transforms.kafka.tokens import read_token

TOKEN_SECONDS = 60.0  # how long a token that does not tell its end is used


def client_settings(cluster: Cluster) -> dict[str, Any]:
    """A cluster's addresses and security in librdkafka's words."""
    security = cluster.security
    settings: dict[str, Any] = {
        "bootstrap.servers": cluster.bootstrap_servers,
        "security.protocol": security.protocol,
        "reconnect.backoff.max.ms": RECONNECT_MS,
        "socket.timeout.ms": ANSWER_MS,
        "log_level": 2,  # what goes wrong is raised
        "error_cb": _ignore,
    }
    if security.is_encrypted:
        settings["ssl.endpoint.identification.algorithm"] = (
            "https" if security.check_hostname else "none"
        )
        key_file = security.key_file or security.cert_file
        files = {"ca": security.ca_file, "certificate": security.cert_file, "key": key_file}
        settings |= {f"ssl.{name}.location": file for name, file in files.items() if file}
        settings |= {"ssl.key.password": security.key_password} if security.key_password else {}
    if security.mechanism == "OAUTHBEARER":
        settings |= {"sasl.mechanism": "OAUTHBEARER", "oauth_cb": partial(_token, security)}
    elif security.has_login:
        settings |= {
            "sasl.mechanism": security.mechanism,
            "sasl.username": security.username,
            "sasl.password": security.password,
        }
    return settings


def _ignore(error: Any) -> None:
    """Lost connections are made again; what cannot be mended is raised where it is met."""


def _token(security: Security, _: str) -> tuple[str, float]:
    """The token that is valid now, and when it ends."""
    token = read_token(security)
    try:
        claims = token.split(".")[1]
        padded = claims + "=" * (-len(claims) % 4)
        return token, float(json.loads(base64.urlsafe_b64decode(padded))["exp"])
    except (IndexError, KeyError, ValueError, TypeError):
        return token, time.time() + TOKEN_SECONDS


def admin_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those that a client without a group takes too."""
    prefixes = ("bootstrap.", "security.", "ssl.", "sasl.", "socket.", "reconnect.")
    others = ("oauth_cb", "error_cb", "log_level")
    return {k: v for k, v in settings.items() if k.startswith(prefixes) or k in others}
