import numpy as np
import pytest

from models.calibration import (
    abstention_threshold,
    expected_calibration_error,
    fit_sigmoid_temperature,
    fit_softmax_temperature,
    sigmoid,
    softmax,
)


def test_softmax_by_hand() -> None:
    # exp(log 1, log 3) / 4; at T = 2 the odds are their square root, 1 : 1.7320508
    logits = np.log(np.array([[1.0, 3.0]]))

    assert softmax(logits).tolist() == [pytest.approx([0.25, 0.75])]
    assert softmax(logits, 2.0)[0, 1] == pytest.approx(1.7320508 / 2.7320508)


def test_sigmoid_neither_overflows_nor_errs() -> None:
    assert sigmoid(np.array([-1000.0, 0.0, np.log(3), 1000.0])).tolist() == pytest.approx(
        [0.0, 0.5, 0.75, 1.0]
    )


def test_softmax_temperature_is_found_again() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(20_000, 3)) * 2
    truth = np.array([rng.choice(3, p=row) for row in softmax(honest)])

    assert fit_softmax_temperature(honest * 2.5, truth) == pytest.approx(2.5, rel=0.05)


def test_sigmoid_temperature_is_found_again() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(20_000, 2)) * 2
    held = rng.random(honest.shape) < sigmoid(honest)

    assert fit_sigmoid_temperature(honest * 0.5, held) == pytest.approx(0.5, rel=0.05)


def test_temperature_keeps_the_order_of_labels() -> None:
    logits = np.random.default_rng(0).normal(size=(50, 28))

    assert (softmax(logits, 1.7).argsort() == softmax(logits).argsort()).all()


def test_calibration_error_by_hand() -> None:
    # Two bins of two: (0.6, 0.7) with one right, |0.5 - 0.65| = 0.15; (0.8, 0.9) both right,
    # |1 - 0.85| = 0.15; so 0.5 x 0.15 + 0.5 x 0.15
    confidence = np.array([0.9, 0.6, 0.8, 0.7])
    right = np.array([True, False, True, True])

    assert expected_calibration_error(confidence, right, bins=2) == pytest.approx(0.15)


def test_calibration_error_of_honest_confidence_is_small() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1, 50_000)

    error = expected_calibration_error(confidence, rng.random(50_000) < confidence)

    assert error < 0.01


def test_threshold_is_the_least_that_reaches_the_accuracy() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, False, False])

    assert abstention_threshold(confidence, right, 1.0) == 0.8
    assert abstention_threshold(confidence, right, 0.6) == 0.7
    assert abstention_threshold(confidence, right, 0.5) == 0.0


def test_equally_sure_readings_abstain_together() -> None:
    confidence = np.array([0.9, 0.8, 0.8])
    right = np.array([True, True, False])

    assert abstention_threshold(confidence, right, 1.0) == 0.9


def test_everything_abstains_where_no_threshold_reaches_the_accuracy() -> None:
    assert abstention_threshold(np.array([0.9, 0.8]), np.array([False, False]), 0.5) > 0.9
