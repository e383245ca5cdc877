import pytest
import torch
from torch import Tensor

from models.explanation.gradients import MOST_STEPS, complete_attribution, integrated_gradients

POINT = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]])  # (tokens, width)
BLANK = torch.zeros_like(POINT)
WEIGHTS = torch.tensor([[2.0, 1.0], [0.0, 3.0], [0.0, 0.0]])


def linear(path: Tensor) -> Tensor:
    return (path * WEIGHTS).sum(dim=(1, 2))


def steep(path: Tensor) -> Tensor:
    return torch.sigmoid(400 * (path[:, 0, 0] - 0.5))


def test_linear_answer_is_told_exactly_by_one_step() -> None:
    # 2 x 1 + 1 x 2 = 4; 3 x -1 = -3; nothing of the third token
    found = integrated_gradients(linear, POINT, BLANK, steps=1)

    assert found.tokens.tolist() == [4.0, -3.0, 0.0]
    assert (found.answer, found.baseline, found.gap) == (1.0, 0.0, 0.0)


def test_product_of_two_tokens_is_shared_between_them() -> None:
    # F = a b over the path t a, t b: each gets the integral of t a b, half of a b = 3
    found = integrated_gradients(lambda path: path[:, 0, 0] * path[:, 1, 0], POINT, BLANK, steps=8)

    assert found.tokens.tolist() == pytest.approx([1.5, 1.5, 0.0])


def test_attribution_is_relative_to_the_baseline() -> None:
    found = integrated_gradients(linear, POINT, POINT, steps=4)

    assert found.tokens.tolist() == [0.0, 0.0, 0.0]


def test_steps_are_doubled_until_the_parts_add_up() -> None:
    found = complete_attribution(steep, POINT, BLANK)

    assert found.steps > 32
    assert found.gap <= 0.05 * abs(found.answer - found.baseline)


def test_what_never_adds_up_ends_and_says_so() -> None:
    def jumps(path: Tensor) -> Tensor:  # flat but for a step: no gradient sees it
        return (path[:, 0, 0] > 0.5).float() + 0 * path.sum(dim=(1, 2))

    found = complete_attribution(jumps, POINT, BLANK)

    assert (found.steps, found.gap) == (MOST_STEPS, 1.0)
