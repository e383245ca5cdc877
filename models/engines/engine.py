"""What an engine is: the three networks of a checkpoint on arrays, one pass at a time."""

from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Halves: TypeAlias = NDArray[np.float16]
Ids: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Pixels: TypeAlias = NDArray[np.uint8]


class Moods(NamedTuple):
    """What the mood network says of a pass.

    Attributes:
        logits: by head, (rows, size of the head).
        alphas: (rows, 2), the weights of text and image.
        text_joint: (rows, width), unit length, the text's place in the joint space.
        image_joint: the same for the image; None in a pass without images.
    """

    logits: dict[str, Floats]
    alphas: Floats
    text_joint: Floats
    image_joint: Floats | None


class Engine(Protocol):
    """Runs the networks of one checkpoint; what it says of a row does not depend on other rows.

    A pass holds exactly `rows` rows; whoever calls fills up short ones and takes no notice of what
    is said about empty rows. An engine of one row gets each text in its own length, others get
    lengths of a few sizes. `workers` passes may run at once, each in a thread of its own.

    Guarantee: on one machine, a row gives the same bits in every pass of the same shape.
    """

    @property
    def name(self) -> str:
        """What runs, in which precision, such as `onnx int8`."""

    @property
    def rows(self) -> int:
        """Posts, or images, of a pass."""

    @property
    def workers(self) -> int:
        """Passes that may run at once."""

    def read_texts(self, ids: Ids, mask: Mask) -> Floats:
        """Token features: (rows, tokens) twice -> (rows, tokens, text width)."""

    def read_images(self, pixels: Pixels) -> Halves:
        """Patch features: (rows, 224, 224, 3) -> (rows, patches, image width)."""

    def fuse(self, tokens: Floats, mask: Mask, patches: Halves | None) -> Moods:
        """Moods of token features and, where the posts have images, of patch features.

        A row of `mask` that is false throughout is a post without text; (rows, tokens).
        """
