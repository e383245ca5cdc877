"""Cross-modal adversarial training: texts and images that nobody can tell apart in one space."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_HIDDEN = 64


class ModalityClassifier(nn.Module):
    """Tells from a place in the joint space whether it is a text's or an image's.

    The discriminator of a generative adversarial network whose generators are the two projections
    to the joint space: min over projections, max over the classifier of E[log C(text)] +
    E[log(1 - C(image))]. Source: Wang et al. 2017, Adversarial Cross-Modal Retrieval, section 3;
    both sides are trained in one step by the gradient's reversal (Ganin and Lempitsky 2015).

    Shapes: places (rows, width) -> log-odds of text, (rows,).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden, self.output = nn.Linear(width, _HIDDEN), nn.Linear(_HIDDEN, 1)

    def forward(self, places: Tensor) -> Tensor:
        found: Tensor = self.output(functional.gelu(self.hidden(places))).squeeze(1)
        return found

    def game(self, text: Tensor, image: Tensor) -> Tensor:
        """Binary cross-entropy, log 2 where the modalities cannot be told apart.

        Its gradient makes the classifier better, and what made `text` and `image` worse for it.
        """
        places = _Reversed.apply(torch.cat([text, image]))
        is_text = torch.cat([torch.ones(len(text)), torch.zeros(len(image))]).to(places.device)
        return functional.binary_cross_entropy_with_logits(self(places).float(), is_text)


class _Reversed(torch.autograd.Function):
    """The same values forwards, the gradient's opposite backwards."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return -gradient
