"""Facts about what worker processes change in Beam: the same state at a fraction of the cost."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
import msgspec
import pytest
from apache_beam.coders import StrUtf8Coder
from apache_beam.portability.api import beam_fn_api_pb2
from apache_beam.runners.worker import statecache
from apache_beam.runners.worker.bundle_processor import (
    FnApiUserStateContext,
    ReadModifyWriteRuntimeState,
    SynchronousBagRuntimeState,
)
from apache_beam.runners.worker.sdk_worker import GlobalCachingStateHandler, _Future
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.userstate import (
    BagStateSpec,
    CombiningValueStateSpec,
    ReadModifyWriteStateSpec,
)

from pipelines.worker import commit_at_once, learn_records, measure, structs_below
from transforms.tally import Tally


class CountUp(beam.DoFn):
    LAST = ReadModifyWriteStateSpec("last", StrUtf8Coder())
    ALL = BagStateSpec("all", StrUtf8Coder())
    SUM = CombiningValueStateSpec("sum", combine_fn=sum)

    def process(
        self,
        element: tuple[str, int],
        last: Any = beam.DoFn.StateParam(LAST),
        bag: Any = beam.DoFn.StateParam(ALL),
        total: Any = beam.DoFn.StateParam(SUM),
    ) -> Iterator[tuple[str, str, int, int]]:
        key, number = element
        before = last.read() or "-"
        last.write(str(number))
        bag.add(str(number))
        total.add(number)
        yield key, before, len(list(bag.read())), total.read()


def test_state_is_what_it_was_in_every_kind_of_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FnApiUserStateContext, "commit", commit_at_once)
    monkeypatch.setattr(statecache, "get_deep_size", measure)
    pairs = [(key, number) for number in range(3) for key in "ab"]

    with TestPipeline(runner="FnApiRunner") as pipeline:
        found = pipeline | beam.Create(pairs, reshuffle=False) | beam.ParDo(CountUp())  # type: ignore[no-untyped-call]
        expected = [(key, *row) for key in "ab" for row in (("-", 1, 0), ("0", 2, 1), ("1", 3, 3))]
        assert_that(found, equal_to(expected))


@dataclass
class SlowRunner:
    """Takes note of what it is sent and when somebody waits for its answer."""

    noted: list[str] = field(default_factory=list)

    def clear(self, key: str) -> Any:
        self.noted.append(f"clear {key}")
        return SimpleNamespace(get=lambda: self.noted.append(f"wait for clear {key}"))

    def extend(self, key: str, coder: Any, values: list[Any]) -> Any:
        self.noted.append(f"write {key} {values}")
        return SimpleNamespace(get=lambda: self.noted.append(f"wait for {key}"))


def test_all_cells_of_a_bundle_are_written_before_anybody_waits() -> None:
    runner = SlowRunner()
    cells = {
        key: ReadModifyWriteRuntimeState(SynchronousBagRuntimeState(runner, key, StrUtf8Coder()))  # type: ignore[arg-type]
        for key in "abc"
    }
    cells["a"].write("1")
    cells["b"].clear()

    commit_at_once(SimpleNamespace(_all_states=cells))  # type: ignore[arg-type]

    assert runner.noted == [
        "clear a",
        "write a ['1']",
        "clear b",
        "wait for a",
        "wait for clear b",
    ]


ANSWERED: Any = _Future()
ANSWERED.set(SimpleNamespace(error=""))


@dataclass
class Runner:
    """The state of a runner, as bytes, and how often it was asked for a cell."""

    cells: dict[str, list[bytes]] = field(default_factory=dict)
    asked: int = 0

    def clear(self, key: Any) -> Any:
        self.cells[key.SerializeToString()] = []
        return ANSWERED

    def append_raw(self, key: Any, data: bytes) -> Any:
        self.cells.setdefault(key.SerializeToString(), []).append(data)
        return ANSWERED

    def get_raw(self, key: Any, _: Any = None) -> tuple[bytes, None]:
        self.asked += 1
        return b"".join(self.cells.get(key.SerializeToString(), [])), None

    @contextmanager
    def process_instruction_id(self, _: str) -> Iterator[None]:
        yield


def test_a_cell_written_anew_is_what_beam_would_have_written_and_cached() -> None:
    key = beam_fn_api_pb2.StateKey(
        bag_user_state=beam_fn_api_pb2.StateKey.BagUserState(transform_id="t", user_state_id="s")
    )
    token = beam_fn_api_pb2.ProcessBundleRequest.CacheToken(
        user_state=beam_fn_api_pb2.ProcessBundleRequest.CacheToken.UserState(), token=b"1"
    )
    runners, weights = [], []
    for commit in (commit_at_once, FnApiUserStateContext.commit):
        runner, cache = Runner(), statecache.StateCache(1 << 20)
        handler = GlobalCachingStateHandler(cache, runner)  # type: ignore[arg-type]
        for number in (1, 2):
            cell = ReadModifyWriteRuntimeState(
                SynchronousBagRuntimeState(handler, key, StrUtf8Coder())
            )
            with handler.process_instruction_id(str(number), [token]):
                before = cell.read()
                cell.write((before or "") + str(number))
                commit(SimpleNamespace(_all_states={"cell": cell}))  # type: ignore[arg-type]
                assert cell.read() == (before or "") + str(number)
        assert runner.asked == 1  # then it was in the cache
        runners.append(runner.cells)
        weights.append(cache._current_weight)

    assert runners[0] == runners[1]
    assert 0.2 < weights[0] / weights[1] < 5


def test_cached_state_is_measured_about_as_beam_does() -> None:
    tally = Tally(models={f"model-{number}": number for number in range(50)})

    for value in ([tally], [b"x" * 10_000], [], [True]):
        assert measure(value) > 0
        assert 0.2 < measure(value) / statecache.get_deep_size(value) < 5


def test_what_has_no_bytes_on_the_wire_is_measured_too() -> None:
    knot: list[Any] = []
    knot.append(knot)

    assert measure(object(), {(1, 2): 3}) > 0
    assert measure(knot) > 0


FIRST_READ_BY_MANY = """
import sys, threading, types
import msgspec
from pipelines.worker import structs_below
sys.setswitchinterval(1e-6)
kinds = []
for number in range(300):
    module = sys.modules[f"m{number}"] = types.ModuleType(f"m{number}")
    exec(
        "from __future__ import annotations\\nimport msgspec\\n"
        "class Inner(msgspec.Struct):\\n    x: dict[str, int] = {}\\n    y: list[int] = []\\n"
        "class Outer(msgspec.Struct):\\n    a: Inner\\n    b: dict[str, Inner] = {}\\n",
        module.__dict__,
    )
    kinds.append(module.Outer)
if sys.argv[1] == "learnt":
    for kind in structs_below(msgspec.Struct):
        msgspec.msgpack.Decoder(kind)
value = msgspec.msgpack.encode({"a": {"x": {"k": 1}}, "b": {"c": {"y": [1]}}})
for kind in kinds:
    threads = [
        threading.Thread(target=msgspec.msgpack.decode, args=(value,), kwargs={"type": kind})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def read_first(how: str) -> int:
    """How a process ends in which threads read many types at the same time."""
    command = [sys.executable, "-c", FIRST_READ_BY_MANY, how]
    return subprocess.run(command, capture_output=True, timeout=120, check=False).returncode


def test_threads_may_read_types_that_were_learnt() -> None:
    assert read_first("learnt") == 0


def test_msgspec_still_dies_when_threads_learn_a_type_together() -> None:
    tries = ("unlearnt" for _ in range(20))  # it is a race, which one busy core rarely runs

    died = any(read_first(how) == -signal.SIGSEGV for how in tries)

    assert died, "msgspec seems mended: drop learn_records of pipelines/worker.py"


def test_every_record_of_the_pipeline_can_be_learnt() -> None:
    learn_records()

    names = {kind.__name__ for kind in structs_below(msgspec.Struct)}
    assert {"Post", "Reading", "Tally", "Ledger", "Hour", "_XPost"} <= names
