"""Cross-modal graph convolution: words and regions of a post as the nodes of one graph."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class GraphConvolution(nn.Module):
    """One graph convolution over the words and regions of each post, with a residual path.

    A_ij = max(0, cos(P x_i, P x_j)), within a modality and across, so A_ii = 1;
    out = x + gelu(D^-1/2 A D^-1/2 W LN(x)), with D the diagonal of A's row sums.

    Where attention scores every pair of nodes by a query and a key, here one projection P says how
    alike they are, the same both ways, and unlike nodes are not joined at all.
    Source: Kipf and Welling 2017, Semi-Supervised Classification with Graph Convolutional
    Networks, equation (2); edges by likeness as in Liang et al. 2022, Multi-Modal Sarcasm Detection
    via Cross-Modal Graph Convolutional Network, section 3.

    Shapes: nodes (batch, nodes, width), mask (batch, nodes) -> (batch, nodes, width). A node
    outside the mask joins no other.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.likeness = nn.Linear(width, width, bias=False)
        self.message = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, nodes: Tensor, mask: Tensor) -> Tensor:
        normed = self.norm(nodes)
        received = normalised(self.edges(normed, mask)) @ self.message(normed)
        updated: Tensor = nodes + self.dropout(functional.gelu(received))
        return updated

    def edges(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """A, (batch, nodes, nodes)."""
        places = functional.normalize(self.likeness(nodes), dim=-1)
        alike = (places @ places.transpose(1, 2)).clamp(min=0)
        return alike * (mask[:, :, None] & mask[:, None, :])


def normalised(edges: Tensor) -> Tensor:
    """D^-1/2 A D^-1/2 of edges A >= 0; a node without any keeps none."""
    degrees = edges.sum(dim=-1)
    scale = torch.where(degrees > 0, degrees, 1).rsqrt()
    return scale[:, :, None] * edges * scale[:, None, :]
