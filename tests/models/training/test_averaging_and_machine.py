import pytest
import torch
from torch import nn

from models.training.averaging import WeightAverage, copy_into, snapshot
from models.training.loop import build_optimizer, build_schedule
from models.training.machine import Machine, Stepper, choose_machine


def a_layer(value: float) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, value)
    return layer


def test_the_average_by_hand() -> None:
    # d = min(0.9, (1 + 1) / (10 + 1)) = 2 / 11, then min(0.9, 3 / 12) = 1 / 4
    layer = a_layer(11.0)
    average = WeightAverage(layer, 0.9)

    nn.init.constant_(layer.weight, 22.0)
    average.update()
    first = average.values["weight"].item()
    nn.init.constant_(layer.weight, 0.0)
    average.update()

    assert first == pytest.approx(2 / 11 * 11 + 9 / 11 * 22)
    assert average.values["weight"].item() == pytest.approx(first / 4)


def test_no_decay_is_the_weights_themselves() -> None:
    layer = a_layer(1.0)
    average = WeightAverage(layer, 0.0)
    nn.init.constant_(layer.weight, 7.0)
    average.update()

    assert average.values["weight"].item() == 7.0


def test_own_weights_come_back_after_a_look_at_the_average() -> None:
    layer = a_layer(1.0)
    average = WeightAverage(layer, 0.5)
    nn.init.constant_(layer.weight, 3.0)

    with average.swapped_in():
        assert layer.weight.item() == 1.0
    assert layer.weight.item() == 3.0


def test_frozen_weights_are_neither_kept_nor_moved() -> None:
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad_(False)

    assert snapshot(layer).keys() == {"weight"}
    with pytest.raises(KeyError, match="weights of another model"):
        copy_into(layer, {"bias": torch.zeros(2)})


def test_products_are_in_the_chosen_precision_and_weights_are_not() -> None:
    layer, x = nn.Linear(4, 4), torch.randn(2, 4)

    with Machine(torch.device("cpu"), torch.bfloat16).autocast():
        assert layer(x).dtype == torch.bfloat16
    with Machine(torch.device("cpu"), torch.float32).autocast():
        assert layer(x).dtype == torch.float32
    assert layer.weight.dtype == torch.float32
    assert choose_machine("fp32").dtype == torch.float32


def test_a_step_is_clipped_and_leaves_what_is_frozen() -> None:
    layer = nn.Linear(1, 1)
    layer.bias.requires_grad_(False)
    optimizer = build_optimizer([(layer, 0.1)], weight_decay=0.0)
    before = layer.bias.clone()

    Stepper(choose_machine("fp32"), optimizer).step(layer(torch.full((1, 1), 1e6)).sum())

    assert layer.weight.grad is not None and layer.weight.grad.norm() <= 1.0 + 1e-4
    assert torch.equal(layer.bias, before)


def test_each_parameter_has_the_rate_of_the_first_group_that_names_it() -> None:
    inner, outer = nn.Linear(2, 2), nn.ModuleDict()
    outer["inner"], outer["norm"] = inner, nn.LayerNorm(2)

    groups = build_optimizer([(inner, 0.1), (outer, 0.2)], weight_decay=0.3).param_groups

    found = [(group["lr"], group["weight_decay"], len(group["params"])) for group in groups]
    assert found == [(0.1, 0.3, 1), (0.1, 0.0, 1), (0.2, 0.0, 2)]


def test_the_rate_climbs_and_falls_to_nothing() -> None:
    optimizer = build_optimizer([(nn.Linear(1, 1), 1.0)], weight_decay=0.0)
    schedule = build_schedule(optimizer, total=10, warmup_share=0.2)
    rates = []
    for _ in range(11):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()

    assert rates[:3] == pytest.approx([0.5, 1.0, 1.0])
    assert rates[6] == pytest.approx(0.5)
    assert rates[10] == 0.0
