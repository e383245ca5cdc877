"""What any portable Beam runner must know to run the monitor, and what it must never be asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2

from pipelines.build import build_stages
from pipelines.flink.step_ids import KEPT, keep_step_ids
from pipelines.monitor import monitor, publish
from pipelines.run_folder import RunFolder
from pipelines.settings import parse_settings
from transforms.channels.registry import event_time_of
from transforms.kafka.cluster import Cluster
from transforms.kafka_posts import read_posts

LABELS = Path(__file__).with_name("steps_with_state.txt")
SETTINGS = "brands: [{name: Oatmere}]\nprivacy: {author_key: a-key-for-tests-alone}\n"


def graph_of(settings: str, folder: Path) -> Any:
    """The pipeline of these settings as Flink is handed it."""
    source = read_posts(
        event_time_of=event_time_of, cluster=Cluster("127.0.0.1:9092"), topics=("posts",), readers=4
    )
    stages = build_stages(parse_settings(settings), RunFolder(folder), source)
    pipeline = beam.Pipeline()
    keep_step_ids(pipeline)
    publish(monitor(pipeline, stages), stages)
    return pipeline.to_runner_api()


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return graph_of(SETTINGS, tmp_path_factory.mktemp("out"))


def test_a_runner_needs_state_timers_splittable_readers_and_bundle_finalisation_alone(
    graph: Any,
) -> None:
    required = common_urns.requirements

    assert set(graph.requirements) == {
        required.REQUIRES_STATEFUL_PROCESSING.urn,
        required.REQUIRES_SPLITTABLE_DOFN.urn,
        required.REQUIRES_BUNDLE_FINALIZATION.urn,
    }


def test_every_step_is_python(graph: Any) -> None:
    used = {
        graph.components.environments[transform.environment_id].urn
        for transform in graph.components.transforms.values()
        if transform.environment_id
    }

    assert used == {"beam:env:default:v1"}  # this SDK's own; the runner's options fill it in


def steps_below(graph: Any, name: str) -> Iterator[Any]:
    """Transforms in the order in which the pipeline was built."""
    transform = graph.components.transforms[name]
    yield transform
    for part in transform.subtransforms:
        yield from steps_below(graph, part)


def keeps_state(transform: Any) -> bool:
    if transform.spec.urn == common_urns.primitives.GROUP_BY_KEY.urn:
        return True
    if transform.spec.urn != common_urns.primitives.PAR_DO.urn:
        return False
    payload = beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload)
    return bool(payload.state_specs or payload.timer_family_specs or payload.restriction_coder_id)


def test_steps_with_state_keep_their_labels_and_their_order(graph: Any) -> None:
    """A savepoint finds its steps by their place in the graph: docs/operations.md, "Upgrading"."""
    (root,) = graph.root_transform_ids
    stateful = [t.unique_name for t in steps_below(graph, root) if keeps_state(t)]

    assert stateful == LABELS.read_text().splitlines()


@pytest.mark.parametrize("more", ["", "model: {shadow: another/folder}"])
def test_steps_with_timers_keep_their_ids_whatever_stands_before(more: str, tmp_path: Path) -> None:
    """A timer of a savepoint names its step: docs/operations.md, "Upgrading"."""
    transforms = graph_of(SETTINGS + more, tmp_path).components.transforms
    with_timers = {t.unique_name: name for name, t in transforms.items() if has_timers(t)}

    assert with_timers == KEPT


def has_timers(transform: Any) -> bool:
    if transform.spec.urn != common_urns.primitives.PAR_DO.urn:
        return False
    payload = beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload)
    return bool(payload.timer_family_specs)


def test_all_lies_in_the_global_window(graph: Any) -> None:
    kinds = {strategy.window_fn.urn for strategy in graph.components.windowing_strategies.values()}

    assert kinds == {common_urns.global_windows.urn}
