"""The two requests with which a login at Kafka begins, byte by byte, over a plain socket."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

SASL_HANDSHAKE, SASL_AUTHENTICATE = 17, 36
NO_ERROR, UNSUPPORTED_MECHANISM, NO_LOGIN_HERE = 0, 33, 34  # Kafka's error codes
CLIENT = b"moodwire"
LONGEST_ANSWER = 1 << 16
TLS_ALERT = b"\x15\x03"


class NotKafkaError(ValueError):
    """What answers speaks something else."""


class SpeaksTlsError(NotKafkaError):
    """It answers in TLS."""


class Offer(NamedTuple):
    """What a listener says to a mechanism: an error code, and the mechanisms that it has."""

    code: int
    mechanisms: list[str]


class Verdict(NamedTuple):
    """What a listener says to a step of a login."""

    code: int
    reason: str
    challenge: bytes


def ask_for_login(sock: socket.socket, mechanism: str) -> Offer:
    """Whether the listener takes logins, and by which mechanisms."""
    name = mechanism.encode()
    body = _exchange(sock, SASL_HANDSHAKE, 1, struct.pack(f">h{len(name)}s", len(name), name))
    code, count = struct.unpack_from(">hi", body)
    mechanisms, at = [], 6
    for _ in range(count):
        found, at = _text(body, at)
        mechanisms.append(found)
    return Offer(code, mechanisms)


def send_proof(sock: socket.socket, proof: bytes) -> Verdict:
    """One step of a login."""
    body = _exchange(sock, SASL_AUTHENTICATE, 0, struct.pack(">i", len(proof)) + proof)
    (code,) = struct.unpack_from(">h", body)
    reason, at = _text(body, 2)
    (length,) = struct.unpack_from(">i", body, at)
    return Verdict(code, reason, body[at + 4 : at + 4 + max(length, 0)])


def _exchange(sock: socket.socket, request: int, version: int, body: bytes) -> bytes:
    """Send a request and return its answer without length and correlation id."""
    header = struct.pack(f">hhih{len(CLIENT)}s", request, version, 1, len(CLIENT), CLIENT)
    sock.sendall(struct.pack(">i", len(header + body)) + header + body)
    start = _exactly(sock, 4)
    if start.startswith(TLS_ALERT):
        raise SpeaksTlsError("it answers in TLS")
    (length,) = struct.unpack(">i", start)
    if not 4 <= length <= LONGEST_ANSWER:
        raise NotKafkaError("its answer is no Kafka message")
    return _exactly(sock, length)[4:]


def _exactly(sock: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        more = sock.recv(count - len(received))
        if not more:
            raise ConnectionError("it closed the connection")
        received += more
    return received


def _text(body: bytes, at: int) -> tuple[str, int]:
    """A nullable string, and where it ends."""
    (length,) = struct.unpack_from(">h", body, at)
    end = at + 2 + max(length, 0)
    return body[at + 2 : end].decode(), end
