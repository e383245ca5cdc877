"""Facts about what Prometheus reads: formats, exemplars, and a bound however many brands."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from dashboards.live import exposition as exposition_module
from dashboards.live.exposition import exposition, negotiated
from dashboards.live.histograms import LONGEST_EXEMPLAR, Histogram
from dashboards.live.state import State
from dashboards.live.windows import LEAST_WINDOWS, SETTLED_WINDOWS, Windows
from schemas.metrics import READING_DELAY
from schemas.records import PaneTiming, Slice, Trend
from tests.dashboards.incidents import at
from tests.dashboards.run_folder import a_trend
from tests.dashboards.story import Moment

OPEN_METRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
CALM = Moment(posts=20, valence=0.2, image_share=0.3)
LANGUAGES = ("en", "de", "es", "fr", "it")


def families_in(text: bytes) -> list[Any]:
    return list(text_string_to_metric_families(text.decode()))  # type: ignore[no-untyped-call]


def a_delay(seconds: float = 42.0, post_id: str = "p1") -> State:
    state, delays = State(), Histogram(READING_DELAY)
    delays.observe(seconds, at=1_000.0, labels={"channel": "x", "post_id": post_id})
    state.histograms = (delays,)
    return state


def test_buckets_are_cumulative_and_end_with_everything() -> None:
    lines = exposition(a_delay()).decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if line.startswith(READING_DELAY.name))

    assert values[f'{READING_DELAY.name}_bucket{{le="30.0"}}'] == "0.0"
    assert values[f'{READING_DELAY.name}_bucket{{le="60.0"}}'] == "1.0"
    assert values[f'{READING_DELAY.name}_bucket{{le="+Inf"}}'] == "1.0"
    assert values[f"{READING_DELAY.name}_sum"] == "42.0"


def test_a_scrape_that_takes_open_metrics_is_told_which_post_it_was() -> None:
    text, media_type = negotiated(a_delay(), OPEN_METRICS)
    (family,) = (found for found in families_in(text) if found.type == "histogram")
    (exemplar,) = (sample.exemplar for sample in family.samples if sample.exemplar)

    assert media_type.startswith("application/openmetrics-text")
    assert exemplar.labels == {"channel": "x", "post_id": "p1"}
    assert (exemplar.value, float(exemplar.timestamp)) == (42.0, 1_000.0)


def test_plain_text_comes_without_exemplars() -> None:
    text, media_type = negotiated(a_delay(), "")

    assert media_type.startswith("text/plain") and b"p1" not in text


def test_an_exemplar_that_is_longer_than_allowed_is_left_out() -> None:
    text, _ = negotiated(a_delay(post_id="p" * LONGEST_EXEMPLAR), OPEN_METRICS)

    assert b"post_id" not in text
    assert families_in(text)


@cache
def a_template(timing: PaneTiming) -> Trend:
    return a_trend("brand", at(9.0), CALM, timing=timing)


def a_pane(brand: str, hour: float, part: Slice, timing: PaneTiming = "on_time") -> Trend:
    return replace(a_template(timing), brand=brand, slice=part, window_start=at(hour))


def filled(state: State, brands: int, windows: int = 8) -> State:
    parts = (Slice(), *(Slice(lang=lang) for lang in LANGUAGES))
    for n in range(windows):
        for number in range(brands):
            for part in parts:
                state.fold(a_pane(f"brand {number:04}", 9 + n / 60, part))
    return state


def samples(state: State) -> list[str]:
    return [line for line in exposition(state).decode().splitlines() if line[0] != "#"]


def told(state: State, what: str) -> str:
    return next(line for line in samples(state) if f'what="{what}"' in line).rsplit(" ", 1)[1]


def test_a_thousand_brands_of_five_slices_are_all_told() -> None:
    state = filled(State(), 1_000)

    posts = [line for line in samples(state) if line.startswith("moodwire_brand_posts{")]
    assert len(posts) == 1_000
    assert (told(state, "brands"), told(state, "series")) == ("0.0", "0.0")
    assert len(state.windows.journal) == 6_000 * 8
    assert len(samples(state)) < 11_000


def test_more_brands_cost_no_more_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition_module, "MAX_BRANDS", 50)
    small, large = filled(State(), 50, windows=1), filled(State(), 80, windows=1)

    assert len(samples(large)) == len(samples(small))
    assert told(large, "brands") == "30.0"


def test_series_share_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.live.windows.ALL_BRAND_WINDOWS", 200)
    monkeypatch.setattr("dashboards.live.windows.ALL_SLICE_WINDOWS", 200)
    state = filled(State(), 10, windows=30)

    assert state.windows.limits == (20, LEAST_WINDOWS)
    assert len(state.windows.journal) == 10 * 20 + 50 * LEAST_WINDOWS
    assert state.changes().limits == (20, LEAST_WINDOWS)


def test_metrics_alone_need_two_windows_of_a_brand() -> None:
    whole, lean = filled(State(), 5), State()
    lean.windows = Windows(for_metrics=True)
    filled(lean, 5)
    for number in range(5):
        lean.fold(a_pane(f"brand {number:04}", 10.0, Slice(), timing="early"))

    assert samples(lean) == samples(whole)
    assert len(lean.windows.journal) == 5 * SETTLED_WINDOWS
