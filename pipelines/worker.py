"""What a worker process does before its first bundle, embedded or in a Flink worker pool."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import msgspec
from apache_beam.runners.worker import statecache
from apache_beam.runners.worker.bundle_processor import (
    FnApiUserStateContext,
    SynchronousBagRuntimeState,
)
from apache_beam.runners.worker.sdk_worker import GlobalCachingStateHandler

from transforms.kafka.heap import settle_heap

OBJECT_BYTES, PER_WIRE_BYTE = 64, 2  # what Python's objects take, about
_walk = statecache.get_deep_size


def prepare_worker() -> None:
    """Make records safe, and state and memory cheap, for the workers of this process.

    A post touches some twenty windows, each a state cell of its own, and Beam 2.77 spends more on
    them than the model takes (docs/decisions/0014).
    """
    learn_records()
    settle_heap()
    statecache.get_deep_size = measure
    FnApiUserStateContext.commit = commit_at_once  # type: ignore[method-assign, assignment]


def learn_records() -> None:
    """Let msgspec look through every record type before threads ask for them.

    msgspec 0.22 looks through a type when it first reads one. It lets other threads in meanwhile,
    and one that reads the same type then follows a null pointer: the process dies (SIGSEGV).
    """
    import pipelines.build  # noqa: F401 - with it come the modules of every stage

    for kind in structs_below(msgspec.Struct):
        if not getattr(kind, "__parameters__", ()):  # a generic one is read with its arguments
            msgspec.msgpack.Decoder(kind, dec_hook=_no_hook)


def structs_below(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """Every struct that was defined so far, each at least once."""
    for below in kind.__subclasses__():
        yield below
        yield from structs_below(below)


def _no_hook(kind: type, value: Any) -> Any:
    raise NotImplementedError(kind)


def measure(*objects: Any) -> int:
    """About the bytes of memory that cached state takes.

    Beam's own measure first looks through the globals of every module, thousands where models are
    loaded, and does so twice for each cell that a bundle writes.
    """
    try:
        wire = msgspec.msgpack.encode(objects, enc_hook=sys.getsizeof)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return int(_walk(*objects))
    return weight_of(wire)


def weight_of(wire: bytes) -> int:
    """About the bytes of memory that what was encoded as `wire` takes."""
    return OBJECT_BYTES + PER_WIRE_BYTE * len(wire)


def commit_at_once(context: FnApiUserStateContext) -> None:
    """Write the cells of a bundle, then wait for the runner's answers: one wait, not one a cell."""
    for answer in [_send(state) for state in context._all_states.values()]:
        if answer is not None:
            answer.get()


def _send(state: Any) -> Any:
    """Send what a cell has to write; the answer to wait for, if there is one."""
    bag = getattr(state, "_underlying_bag_state", state)
    if not isinstance(bag, SynchronousBagRuntimeState):
        state.commit()
        return None
    is_replaced = bag._cleared and len(bag._added_elements) == 1
    if is_replaced and isinstance(bag._state_handler, GlobalCachingStateHandler):
        return _replace(bag._state_handler, bag)
    answer = bag._state_handler.clear(bag._state_key) if bag._cleared else None
    if bag._added_elements:
        coder = bag._value_coder.get_impl()
        answer = bag._state_handler.extend(bag._state_key, coder, bag._added_elements)
    return answer


def _replace(handler: Any, bag: Any) -> Any:
    """As `clear` and `extend` of `handler`, whose cache measures the old value and the new one.

    The value is encoded for the runner anyhow, so its length on the wire is known.
    """
    key, value = bag._state_key, bag._added_elements[0]
    wire = bag._value_coder.get_impl().encode_nested(value)
    if token := handler._get_cache_token(key):
        cached = handler._convert_to_cache_key(key), token
        handler._state_cache.put(cached, statecache.WeightedValue([value], weight_of(wire)))
    handler._underlying.clear(key)
    return handler._underlying.append_raw(key, wire)
