"""Features of frozen encoders on disk, so that they are computed once."""

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import torch
from torch import Tensor

from models.image_encoder import ImageEncoder
from models.text_encoder import TextEncoder
from models.training.progress import Progress, save_atomically

Tensors = dict[str, Tensor]
_ITEMS_PER_FILE = 256


class FeatureStore:
    """Features by the weights that make them and the bytes they are made of.

    A file holds those of up to 256 items and is named by a hash of the maker and of every item, so
    other weights, other data or another order never read it, and a kill costs one file at most.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(
        self,
        name: str,
        maker: str,
        items: Sequence[bytes],
        make: Callable[[range], Tensors],
    ) -> list[Tensors]:
        """What `make` says of each stretch of items, from the disk where it is there.

        Args:
            name: for the progress lines.
            maker: fingerprint of whatever `make` uses.
            items: digests of the items.
            make: tensors for a range of items.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        progress, found = Progress(name, len(items)), []
        for start in range(0, len(items), _ITEMS_PER_FILE):
            rows = range(start, min(len(items), start + _ITEMS_PER_FILE))
            key = digest(maker.encode(), *(items[row] for row in rows))
            file = self._folder / f"{key.hex()}.pt"
            if not file.is_file():
                save_atomically(make(rows), file)
            found.append(torch.load(file, weights_only=True))
            progress.report(rows.stop)
        return found


def fingerprint(
    encoder: TextEncoder | ImageEncoder, *facts: object, trained: Collection[str] = ()
) -> str:
    """A hash of an encoder's architecture and weights and of anything else that matters.

    Weights named in `trained` come after what is kept and do not count.
    """
    described = [type(encoder).__name__, encoder.config_dict(), *facts]
    parts = [json.dumps(described, sort_keys=True, default=str).encode()]
    fixed = {name: one for name, one in encoder.state_dict().items() if name not in trained}
    for name, tensor in sorted(fixed.items()):
        parts += [name.encode(), tensor.detach().cpu().contiguous().numpy().tobytes()]
    return digest(*parts).hex()


def digest(*parts: bytes) -> bytes:
    """One hash of several byte strings, of 16 bytes."""
    hashed = hashlib.blake2b(digest_size=16)
    for part in parts:
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.digest()
