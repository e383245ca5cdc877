"""The outbox: what is still to be sent, to whom, and how far the alerts were read.

Messages and the position that they came from are written in one transaction, so that a crash
neither skips an alert nor makes a second message of it (the transactional outbox pattern).
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from pipelines.delivery.events import AlertEvent, Told

SCHEMA = """
CREATE TABLE IF NOT EXISTS positions (source TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS alerts (
    alert_id TEXT PRIMARY KEY, body BLOB NOT NULL, changed_at REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS told (
    receiver TEXT, alert_id TEXT, status TEXT NOT NULL, severity INTEGER NOT NULL,
    content TEXT NOT NULL, PRIMARY KEY (receiver, alert_id)) STRICT;
CREATE TABLE IF NOT EXISTS messages (
    receiver TEXT, message_id TEXT, alert_id TEXT NOT NULL, event TEXT NOT NULL,
    body BLOB NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL, queued_at REAL NOT NULL, ended_at REAL, said TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (receiver, message_id)) STRICT;
CREATE INDEX IF NOT EXISTS waiting ON messages (receiver, state, due_at);
CREATE TABLE IF NOT EXISTS attempts (
    receiver TEXT, led_to TEXT, count INTEGER NOT NULL, PRIMARY KEY (receiver, led_to)) STRICT;
CREATE TABLE IF NOT EXISTS disabled (receiver TEXT PRIMARY KEY, reason TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS quiet (
    alert_id TEXT, action TEXT, until REAL NOT NULL, PRIMARY KEY (alert_id, action)) STRICT;
"""
State = Literal["waiting", "delivered", "dead"]
KEEP_SECONDS = 30 * 86_400.0  # what was sent and told is remembered so long


class Message(msgspec.Struct, frozen=True):
    """One event of one alert, or a digest, for one receiver; `attempts` were made so far.

    Messages of one `alert_id` are sent in their order; a digest stands alone under its own.
    """

    receiver: str
    message_id: str
    alert_id: str
    event: AlertEvent | Literal["digest"]
    body: bytes
    attempts: int = 0


class Sent(msgspec.Struct, frozen=True):
    """How a message fares: a line of `moodwire deliver --list`."""

    receiver: str
    message_id: str
    event: str
    state: State
    attempts: int
    due_at: float
    said: str


class Outbox:
    """A SQLite file that one service writes; others may read it meanwhile. Safe among threads."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._base = sqlite3.connect(path, check_same_thread=False)
        self._base.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {SCHEMA}")
        self._lock = threading.RLock()
        self._clock = clock

    def position(self, source: str) -> int | None:
        """What comes next of a source; None before its first."""
        row = self._one("SELECT next FROM positions WHERE source = ?", source)
        return None if row is None else int(row[0])

    def newest(self, alert_id: str) -> bytes | None:
        """The newest state of an alert that was taken in."""
        row = self._one("SELECT body FROM alerts WHERE alert_id = ?", alert_id)
        return None if row is None else bytes(row[0])

    def told(self, receiver: str, alert_id: str) -> Told | None:
        """What a receiver was, or is about to be, told of an alert."""
        row = self._one(
            "SELECT status, severity, content FROM told WHERE receiver = ? AND alert_id = ?",
            receiver,
            alert_id,
        )
        return None if row is None else Told(*row)

    def take(
        self,
        alert_id: str,
        body: bytes,
        positions: Mapping[str, int],
        told: Mapping[str, Told],
        messages: Iterable[Message],
    ) -> None:
        """Take in the newest state of an alert, what follows from it, and where reading goes on.

        A message whose id a receiver was already given is left as it is.
        """
        now = self._clock()
        with self._lock, self._base:
            self._base.execute("REPLACE INTO alerts VALUES (?, ?, ?)", (alert_id, body, now))
            self._base.executemany(
                "REPLACE INTO told VALUES (?, ?, ?, ?, ?)",
                [(name, alert_id, t.status, t.severity, t.content) for name, t in told.items()],
            )
            self._queue(messages)
            self._go_on(positions)

    def queue(self, messages: Iterable[Message], positions: Mapping[str, int]) -> None:
        """Take in messages that follow from no alert, and where their making goes on."""
        with self._lock, self._base:
            self._queue(messages)
            self._go_on(positions)

    def _queue(self, messages: Iterable[Message]) -> None:
        now = self._clock()
        self._base.executemany(
            "INSERT OR IGNORE INTO messages (receiver, message_id, alert_id, event, body, "
            "state, due_at, queued_at) VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?)",
            [(m.receiver, m.message_id, m.alert_id, m.event, m.body, now, now) for m in messages],
        )

    def hush(self, alert_id: str, action: str, until: float, positions: Mapping[str, int]) -> None:
        """Take note that mere updates of an alert are not wanted until a time."""
        with self._lock, self._base:
            self._base.execute("REPLACE INTO quiet VALUES (?, ?, ?)", (alert_id, action, until))
            self._go_on(positions)

    def is_quiet(self, alert_id: str) -> bool:
        """Whether somebody took the alert on, or put it off until later than now."""
        query = "SELECT 1 FROM quiet WHERE alert_id = ? AND until > ?"
        return self._one(query, alert_id, self._clock()) is not None

    def go_on(self, positions: Mapping[str, int]) -> None:
        """Take note of where reading goes on, past what held no alert."""
        with self._lock, self._base:
            self._go_on(positions)

    def _go_on(self, positions: Mapping[str, int]) -> None:
        self._base.executemany("REPLACE INTO positions VALUES (?, ?)", list(positions.items()))

    def next_due(self, receiver: str) -> tuple[Message | None, float | None]:
        """The message to send now, or None and when one is due, if any waits.

        Of one alert only the oldest waits for its turn, so that a receiver never hears of an end
        before its beginning.
        """
        row = self._one(
            "SELECT message_id, alert_id, event, body, attempts, due_at FROM messages AS m "
            "WHERE receiver = ? AND state = 'waiting' AND NOT EXISTS (SELECT 1 FROM messages AS e "
            "WHERE e.receiver = m.receiver AND e.alert_id = m.alert_id AND e.state = 'waiting' "
            "AND e.rowid < m.rowid) ORDER BY due_at, rowid LIMIT 1",
            receiver,
        )
        if row is None or self.disabled_reason(receiver) is not None:
            return None, None
        *fields, due_at = row
        if due_at > self._clock():
            return None, float(due_at)
        return Message(receiver, *fields), None

    def delivered(self, message: Message) -> None:
        """The receiver took it."""
        self._settle(message, "delivered", "")

    def retry(self, message: Message, after_seconds: float, said: str) -> None:
        """The receiver did not take it; it is due again after some time."""
        self._settle(message, "waiting", said, after_seconds)

    def give_up(self, message: Message, said: str) -> None:
        """It is a dead letter: kept, listed, and sent again only by hand."""
        self._settle(message, "dead", said)

    def _settle(self, message: Message, state: State, said: str, after: float = 0.0) -> None:
        now = self._clock()
        with self._lock, self._base:
            self._base.execute(
                "UPDATE messages SET state = ?, attempts = ?, due_at = ?, ended_at = ?, said = ? "
                "WHERE receiver = ? AND message_id = ?",
                (
                    state,
                    message.attempts + 1,
                    now + after,
                    None if state == "waiting" else now,
                    said,
                    message.receiver,
                    message.message_id,
                ),
            )
            self._base.execute(
                "INSERT INTO attempts VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                (message.receiver, state),
            )

    def disable(self, receiver: str, reason: str) -> None:
        """Send nothing more to a receiver until it is enabled; what is for it waits."""
        with self._lock, self._base:
            self._base.execute("REPLACE INTO disabled VALUES (?, ?)", (receiver, reason))

    def enable(self, receiver: str) -> bool:
        """Send to it again; whether it was disabled."""
        with self._lock, self._base:
            found = self._base.execute("DELETE FROM disabled WHERE receiver = ?", (receiver,))
        return found.rowcount > 0

    def disabled_reason(self, receiver: str) -> str | None:
        """Why nothing is sent to a receiver; None where it is."""
        row = self._one("SELECT reason FROM disabled WHERE receiver = ?", receiver)
        return None if row is None else str(row[0])

    def replay(self, receiver: str, message_id: str | None = None) -> int:
        """Make the dead letters of a receiver, or one of them, due again; how many."""
        with self._lock, self._base:
            found = self._base.execute(
                "UPDATE messages SET state = 'waiting', attempts = 0, due_at = ?, queued_at = ?, "
                "ended_at = NULL "
                "WHERE receiver = ? AND state = 'dead' AND message_id = ifnull(?, message_id)",
                (now := self._clock(), now, receiver, message_id),
            )
        return found.rowcount

    def sent(self, state: str | None = None) -> list[Sent]:
        """Every message, or those in one state, oldest first."""
        with self._lock:
            rows = self._base.execute(
                "SELECT receiver, message_id, event, state, attempts, due_at, said FROM messages "
                "WHERE state = ifnull(?, state) ORDER BY rowid",
                (state,),
            ).fetchall()
        return [Sent(*row) for row in rows]

    def attempts(self, receiver: str) -> Counter[State]:
        """How many attempts at a receiver led to which state; these only ever grow."""
        query = "SELECT led_to, count FROM attempts WHERE receiver = ?"
        with self._lock:
            return Counter(dict(self._base.execute(query, (receiver,)).fetchall()))

    def waiting(self, receiver: str) -> tuple[int, float]:
        """How many messages wait for a receiver, and for how many seconds the oldest has."""
        query = (
            "SELECT COUNT(*), MIN(queued_at) FROM messages WHERE receiver = ? AND state = 'waiting'"
        )
        with self._lock:
            count, since = self._base.execute(query, (receiver,)).fetchone()
        return count, max(self._clock() - since, 0.0) if count else 0.0

    def alerts_since(self, changed_at: float) -> list[bytes]:
        """The newest states of alerts that changed at or after a time, or still fire."""
        with self._lock:
            rows = self._base.execute(
                "SELECT body FROM alerts WHERE changed_at >= ? OR "
                "json_extract(CAST(body AS TEXT), '$.status') = 'firing' ORDER BY alert_id",
                (changed_at,),
            ).fetchall()
        return [row[0] for row in rows]

    def forget(self) -> None:
        """Drop what ended long ago, so that the file does not grow for ever."""
        before = self._clock() - KEEP_SECONDS
        with self._lock, self._base:
            self._base.execute("DELETE FROM messages WHERE ended_at < ?", (before,))
            over = (
                "SELECT alert_id FROM alerts WHERE changed_at < ? AND "
                "json_extract(CAST(body AS TEXT), '$.status') != 'firing'"
            )
            for table in ("told", "quiet"):
                self._base.execute(f"DELETE FROM {table} WHERE alert_id IN ({over})", (before,))
            self._base.execute(f"DELETE FROM alerts WHERE alert_id IN ({over})", (before,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._base.close()

    def _one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        with self._lock:
            row: tuple[Any, ...] | None = self._base.execute(query, values).fetchone()
        return row
