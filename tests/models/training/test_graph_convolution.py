import math

import torch
from torch.nn import functional

from models.training.graph_convolution import GraphConvolution, normalised


def a_convolution(width: int = 6) -> GraphConvolution:
    torch.manual_seed(0)
    return GraphConvolution(width, dropout=0.0).eval()


@torch.no_grad()
def test_a_node_receives_from_those_alike_as_kipf_and_wellings_equation_says() -> None:
    convolution, nodes = a_convolution(), torch.randn(1, 4, 6)
    normed = convolution.norm(nodes)[0]
    places = [functional.normalize(convolution.likeness(one), dim=0) for one in normed]
    edges = [[max(0.0, float(a @ b)) for b in places] for a in places]
    degrees = [sum(row) for row in edges]

    found = convolution(nodes, torch.ones(1, 4).bool())[0]

    for i, own in enumerate(nodes[0]):
        received = sum(
            edges[i][j] / math.sqrt(degrees[i] * degrees[j]) * convolution.message(normed[j])
            for j in range(4)
        )
        torch.testing.assert_close(found[i], own + functional.gelu(received), atol=1e-5, rtol=0)


def test_what_is_masked_joins_nobody() -> None:
    convolution, nodes = a_convolution(), torch.randn(2, 5, 6)
    mask = torch.tensor([[True, True, True, False, False], [True] * 5])
    others = nodes.clone()
    others[0, 3:] = 9.0

    found, same = convolution(nodes, mask), convolution(others, mask)

    torch.testing.assert_close(found[0, :3], same[0, :3])
    torch.testing.assert_close(found[0, :3], convolution(nodes[:1, :3], mask[:1, :3])[0])
    assert convolution.edges(nodes, mask)[0, 3:].abs().sum() == 0


def test_every_node_keeps_an_edge_to_itself() -> None:
    convolution = a_convolution()
    edges = convolution.edges(torch.randn(1, 3, 6), torch.ones(1, 3).bool())[0]

    torch.testing.assert_close(edges.diagonal(), torch.ones(3))
    torch.testing.assert_close(edges, edges.T)
    assert (edges >= 0).all()


def test_likes_alone_are_averaged() -> None:
    edges = torch.tensor([[[1.0, 1, 0], [1, 1, 0], [0, 0, 0]]])

    torch.testing.assert_close(
        normalised(edges)[0], torch.tensor([[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 0]])
    )
