import pytest

from pipelines import runners
from pipelines.runners import choose_runner


def test_a_run_on_prism_may_last_longer_than_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "find_prism", lambda: "/usr/bin/prism")
    options = choose_runner("prism").options
    (timeout,) = (one for one in options if one.startswith("--job_server_timeout="))

    assert int(timeout.partition("=")[2]) > 365 * 24 * 3600
