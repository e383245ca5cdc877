"""A bounded memory keyed by content, since real streams repost the same few images and texts."""

from hashlib import blake2b
from threading import Lock
from typing import Generic, TypeVar

from cachetools import LRUCache

Value = TypeVar("Value")


class ContentCache(Generic[Value]):
    """Least recently used values by a hash of the content; safe to share between threads.

    At most `capacity` entries stay; 0 keeps nothing.
    """

    def __init__(self, capacity: int) -> None:
        self._entries: LRUCache[bytes, Value] | None = LRUCache(capacity) if capacity else None
        self._lock = Lock()

    def get(self, key: bytes) -> Value | None:
        """The value kept under a key, if still there."""
        if self._entries is None:
            return None
        with self._lock:
            return self._entries.get(key)

    def put(self, key: bytes, value: Value) -> None:
        """Keeps a value, dropping the entry unused for longest when full."""
        if self._entries is not None:
            with self._lock:
                self._entries[key] = value

    def __len__(self) -> int:
        return len(self._entries or ())


def content_key(*parts: bytes) -> bytes:
    """A hash of the bytes: the same content, whatever post it came with.

    >>> content_key(b"a", b"bc") == content_key(b"ab", b"c")
    False
    """
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()
