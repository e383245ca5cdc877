"""Files that appear under their names only when they are whole."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, put under its name at the end; `.gz` is compressed.

    Where writing fails, what stood under the name before still does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with (gzip.open if path.suffix == ".gz" else open)(unfinished, "wb") as stream:
            yield cast(IO[bytes], stream)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.replace(path)
