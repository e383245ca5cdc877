"""Facts about how writers wait for a broker."""

from transforms.kafka.producers import pauses


def test_pauses_double_up_to_a_bound_and_vary() -> None:
    waits = pauses(jitter=lambda: 0.0)
    shorter = pauses(jitter=lambda: 1.0)

    assert [pause for pause, _ in zip(waits, range(6), strict=False)][-2:] == [3.2, 5.0]
    assert next(iter(shorter)) == 0.1
