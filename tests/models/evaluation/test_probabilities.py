import numpy as np
import pytest

from models.calibration import sigmoid, softmax
from models.evaluation.calibrated import (
    Kind,
    brier,
    ece,
    ece_by_class,
    ece_if_calibrated,
    negative_log_likelihood,
)
from models.evaluation.precision_recall import precision_recall
from models.evaluation.risk import aurc, kept_for_risk, risk_coverage, selection
from models.evaluation.scaling import (
    cross_fitted,
    halves,
    sigmoid_temperature,
    sigmoid_vector,
    softmax_temperature,
    softmax_vector,
    unscaled_softmax,
)

RNG = np.random.default_rng(0)
HONEST = RNG.normal(size=(6_000, 3)) * 1.5
TRUTH = np.array([RNG.choice(3, p=row) for row in softmax(HONEST)])


def test_calibration_error_is_found_where_it_was_put() -> None:
    # Every answer claims 0.8 and half of them are right
    probabilities = np.tile([0.8, 0.2], (1000, 1))
    truth = np.arange(1000) % 2

    assert ece(probabilities, truth, Kind.ONE_OF) == pytest.approx(0.3, abs=0.01)
    assert ece(probabilities[:, 0], 1 - truth, Kind.YES_NO) == pytest.approx(0.3, abs=0.01)


def test_honest_probabilities_stay_below_what_chance_reaches() -> None:
    honest, loud = softmax(HONEST), softmax(HONEST * 2)

    assert ece(honest, TRUTH, Kind.ONE_OF) < ece_if_calibrated(honest, Kind.ONE_OF, seed=0)
    assert ece(loud, TRUTH, Kind.ONE_OF) > 2 * ece_if_calibrated(loud, Kind.ONE_OF, seed=0)


def test_brier_and_likelihood_by_hand() -> None:
    yes = np.array([0.8, 0.4])
    held = np.array([True, False])

    assert brier(yes, held, Kind.YES_NO) == pytest.approx((0.2**2 + 0.4**2) / 2)
    assert negative_log_likelihood(yes, held, Kind.YES_NO) == pytest.approx(
        -(np.log(0.8) + np.log(0.6)) / 2
    )
    assert negative_log_likelihood(
        np.array([[0.5, 0.25, 0.25]]), np.array([1]), Kind.ONE_OF
    ) == pytest.approx(np.log(4))


def test_error_by_class_sees_what_the_sum_hides() -> None:
    # Two labels, one always too high and one always too low by 0.2: pooled they cancel out
    probabilities = np.tile([0.5, 0.5], (1000, 1))
    held = np.column_stack([np.arange(1000) % 10 < 3, np.arange(1000) % 10 < 7])

    assert ece(probabilities[:, ::-1], held, Kind.SEVERAL) < 0.05
    assert ece_by_class(probabilities, held, Kind.SEVERAL) == pytest.approx(0.2, abs=0.01)


def test_halves_hold_every_row_once_each_way() -> None:
    (fitted, judged), (again, back) = halves(101, seed=3)

    assert sorted([*fitted, *judged]) == list(range(101))
    assert fitted.tolist() == back.tolist() and judged.tolist() == again.tolist()


def test_no_row_is_judged_by_a_scaling_that_has_seen_it() -> None:
    def remember(logits: np.ndarray, truth: np.ndarray):  # type: ignore[no-untyped-def]
        seen = set(logits[:, 0])
        return lambda others: np.array([[float(row[0] in seen)] for row in others])

    found = cross_fitted(HONEST[:200], TRUTH[:200], remember, seed=0)

    assert not found.any()


@pytest.mark.parametrize("fit", [softmax_temperature, softmax_vector])
def test_scaling_mends_what_is_too_loud(fit) -> None:  # type: ignore[no-untyped-def]
    before = cross_fitted(HONEST * 3, TRUTH, unscaled_softmax, seed=0)
    after = cross_fitted(HONEST * 3, TRUTH, fit, seed=0)

    assert ece(before, TRUTH, Kind.ONE_OF) > 0.1
    assert ece(after, TRUTH, Kind.ONE_OF) < 0.03


def test_vector_scaling_mends_a_biased_class_and_temperature_cannot() -> None:
    biased = HONEST + np.array([1.5, 0.0, 0.0])

    by_temperature, by_vector = (
        negative_log_likelihood(cross_fitted(biased, TRUTH, fit, seed=0), TRUTH, Kind.ONE_OF)
        for fit in (softmax_temperature, softmax_vector)
    )

    honest = negative_log_likelihood(softmax(HONEST), TRUTH, Kind.ONE_OF)
    assert by_vector == pytest.approx(honest, abs=0.01)
    assert by_temperature > honest + 0.05


def test_labels_are_scaled_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(8_000, 2)) * 2
    held = rng.random(honest.shape) < sigmoid(honest)
    twisted = honest * np.array([0.5, 3.0]) + np.array([1.0, -1.0])

    mended = cross_fitted(twisted, held, sigmoid_vector, seed=0)

    assert ece_by_class(mended, held, Kind.SEVERAL) < 0.02
    assert (
        ece_by_class(cross_fitted(twisted, held, sigmoid_temperature, seed=0), held, Kind.SEVERAL)
        > 0.05
    )


def test_risk_and_coverage_by_hand() -> None:
    confidence = np.array([0.9, 0.8, 0.8, 0.6])
    right = np.array([True, True, False, False])

    found = risk_coverage(confidence, right)

    assert found.coverage.tolist() == [0.25, 0.75, 1.0]  # equally sure rows come together
    assert found.risk.tolist() == pytest.approx([0, 1 / 3, 1 / 2])
    assert aurc(confidence, right) == pytest.approx(0.25 * 0 + 0.5 / 3 + 0.25 / 2)


def test_random_confidence_has_the_risk_of_all_answers() -> None:
    rng = np.random.default_rng(0)
    right = rng.random(4000) < 0.7

    found = selection(rng.random(4000), right, risk_wanted=0.2, seed=0)

    assert found.aurc.value == pytest.approx(0.3, abs=0.03)
    assert found.excess_aurc > 0.2


def test_threshold_for_a_risk_holds_on_the_other_half() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1.0, 8000)
    right = rng.random(8000) < confidence

    kept = kept_for_risk(confidence, right, risk=0.2, seed=0)

    assert (~right[kept]).mean() == pytest.approx(0.2, abs=0.02)
    assert 0.5 < kept.mean() < 0.7  # honest confidence from 0.6 up is wrong in 1 of 5


def test_average_precision_of_guessing_is_the_share() -> None:
    rng = np.random.default_rng(0)
    held = rng.random(20_000) < 0.15

    found = precision_recall(rng.random(20_000), held)

    assert found is not None
    assert found.average_precision == pytest.approx(0.15, abs=0.02)
    assert found.curve.x[-1] == 1.0 and found.curve.y[-1] == pytest.approx(held.mean(), abs=0.01)


def test_a_label_that_never_holds_has_no_curve() -> None:
    assert precision_recall(np.array([0.1, 0.2]), np.array([False, False])) is None
