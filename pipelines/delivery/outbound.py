"""HTTP requests to addresses that others named: guarded against reaching into the own network."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore

SHOWN_BYTES = 200
FAULTS = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    UnicodeError,  # of a host name with a label that is empty or too long
)


class RefusedAddressError(httpcore.ConnectError):
    """The address is not one of the public internet."""


@dataclass(frozen=True)
class Answer:
    """Status, what the receiver asks us to wait, and the beginning of what it said."""

    status: int
    retry_after_seconds: float | None
    text: str

    @property
    def refusal(self) -> str | None:
        """Why it was not taken, as far as it says; None for 2xx."""
        if 200 <= self.status < 300:
            return None
        return f"HTTP {self.status} {self.text}".strip()


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, whatever form hides it.

    >>> is_public("1.1.1.1"), is_public("169.254.169.254"), is_public("::ffff:127.0.0.1")
    (True, False, False)
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


class PublicOnly(httpcore.NetworkBackend):
    """Connects to public addresses alone.

    The name is looked up once and what was checked is what is connected to, so that a name which
    changes its address between the two gains nothing.
    """

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to `host`, if all its addresses are public.

        Raises:
            RefusedAddressError: one is not.
            httpcore.ConnectError: there is no such host, or it does not answer.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"{host}: {error}") from error
        addresses = [str(entry[4][0]) for entry in found]
        if private := [address for address in addresses if not is_public(address)]:
            raise RefusedAddressError(
                f"{host} is {private[0]}, no address of the public internet; where that is "
                "wanted, set `allow_private_addresses: true` for this receiver"
            )
        for address in addresses[:-1]:
            try:
                return self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # the last one's error is told
        return self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)


class Outbound:
    """Posts JSON to one address. Redirects are answers like any other: they are not followed."""

    def __init__(self, url: str, timeout_seconds: float, allow_private: bool) -> None:
        self._url = url
        backend = None if allow_private else PublicOnly()
        self._pool = httpcore.ConnectionPool(network_backend=backend, max_connections=2)
        kinds = ("connect", "read", "write", "pool")
        self._extensions = {"timeout": dict.fromkeys(kinds, timeout_seconds)}

    def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Send one request and read its answer.

        Raises:
            OSError: nobody answered, or not in time, or the address is refused.
        """
        sent = {
            "Host": urlsplit(self._url).netloc.rpartition("@")[2],
            "Content-Type": "application/json",
            "User-Agent": "moodwire",
            **headers,
        }
        try:
            with self._pool.stream(
                "POST",
                self._url,
                headers=list(sent.items()),
                content=body,
                extensions=self._extensions,
            ) as response:
                return Answer(response.status, _retry_after(response), _beginning(response))
        except FAULTS as error:
            raise OSError(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


def _beginning(response: httpcore.Response) -> str:
    content = b""
    for part in response.iter_stream():
        content += part
        if len(content) >= SHOWN_BYTES:
            break  # however long an answer is, no more of it is read
    return content[:SHOWN_BYTES].decode("utf-8", "replace")


def _retry_after(response: httpcore.Response) -> float | None:
    """RFC 9110, 10.2.3, in its form of seconds."""
    for name, value in response.headers:
        if name.lower() == b"retry-after" and value.strip().isdigit():
            return float(value)
    return None
