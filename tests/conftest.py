"""What holds for every test."""

import gc

import pytest
from hypothesis import HealthCheck, settings

# Machines are shared: how long an example takes, or is drawn, says nothing about it. Examples are
# the same in every run, so that a run which fails can be run again.
settings.register_profile(
    "shared machine",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("shared machine")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Collect the sockets that a test is excused for while it is the one that is judged.

    kafka-python leaves the sockets of refused connections to the garbage collector, which would
    come round to them during some other test, and that one would fail.
    """
    excused = (str(mark.args) for mark in item.iter_markers("filterwarnings"))
    if any("unclosed" in what for what in excused):
        gc.collect()
