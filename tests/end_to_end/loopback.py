"""A network of 127.0.0.1 alone, for servers that cannot be told not to listen everywhere."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000
OWN_NETWORK = Path("/proc/thread-self/ns/net")


@contextmanager
def only_loopback() -> Iterator[None]:
    """Put this thread and all that it starts into such a network, where the system lets us."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open(OWN_NETWORK, os.O_RDONLY) if OWN_NETWORK.exists() else None
    if home is None or libc.unshare(CLONE_NEWNET):
        yield  # not root, or not Linux: the ports are then open for the time of a test
        return
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield
    finally:
        libc.setns(home, CLONE_NEWNET)
        os.close(home)
