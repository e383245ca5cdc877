"""A bounded memory of image features, since real streams repost the same few images."""

import threading
from collections import OrderedDict
from hashlib import blake2b

from torch import Tensor


class FeatureCache:
    """Least recently used features by content of the rendition; safe to share between threads.

    At most `capacity` entries stay, about 125 KB each for the default encoder; 0 keeps nothing.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[bytes, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: bytes) -> Tensor | None:
        """The features kept under a key, if still there."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: bytes, features: Tensor) -> None:
        """Keeps features, dropping the entry unused for longest when full."""
        with self._lock:
            self._entries[key] = features
            self._entries.move_to_end(key)
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def __len__(self) -> int:
        return len(self._entries)


def content_key(rendition: bytes) -> bytes:
    """A hash of the bytes: the same picture, whatever post it came with."""
    return blake2b(rendition, digest_size=16).digest()
