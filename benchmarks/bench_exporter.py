"""What exporter and page cost with many brands: `python -m benchmarks.bench_exporter`.

A broker of its own holds the trends of brands with five slices each. Exporter and page read them in
processes of their own; then ten viewers follow the page while panes come in, ten times a second.
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from kafka import KafkaProducer

from benchmarks.exporter_report import in_words
from benchmarks.latency import percentile
from benchmarks.machine import describe_machine
from benchmarks.many_brands import SLICES, Panes
from benchmarks.memory import cpu_seconds, megabytes
from benchmarks.own_stack import end, own_stack, remove_data
from benchmarks.reports import write_results
from benchmarks.viewers import Viewer
from deploy.kafka.topics import create_topics, read_topics
from deploy.processes import REPOSITORY, wait
from deploy.stack import Stack
from schemas.records import encode
from tests.servers import free_port

WINDOWS = 30  # of each series on the topic
SCRAPES = 20
VIEWERS = 10
TICK_SECONDS = 0.1
PANES_A_TICK = 10  # 6,000 series that are told once a minute are 100 panes a second
PATIENCE_SECONDS = 300.0
OPEN_METRICS = "application/openmetrics-text;version=1.0.0"


class Answer(NamedTuple):
    """How long an answer took, and its body as it came over the line."""

    seconds: float
    body: bytes


def ask(url: str, **headers: str) -> Answer | None:
    """What a server answers, None unless all is well."""
    began = time.perf_counter()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=named), timeout=60) as got:
            body = got.read()
    except (urllib.error.HTTPError, OSError):
        return None
    return Answer(time.perf_counter() - began, body)


def fetch(url: str, **headers: str) -> Answer:
    """The same, of a server that must answer."""
    found = ask(url, **headers)
    assert found is not None, url
    return found


@contextmanager
def serving(command: str, settings: Path, log: Path) -> Iterator[tuple[str, int]]:
    """`moodwire exporter` or `serve` of the topics; yields its address and process id."""
    port = free_port()
    line = [sys.executable, "-m", "pipelines.command_line", command, "--settings", str(settings)]
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*line, "--port", str(port)], stdout=out, stderr=out, cwd=REPOSITORY
        )
    try:
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        end(process)


def measure(stack: Stack, brands: int, windows: int, seconds: float) -> dict[str, Any]:
    """Both servers on topics of their own."""
    servers, prefix = stack.broker.bootstrap_servers, f"b{brands}-"
    create_topics(servers, read_topics(prefix=prefix))
    settings = stack.home / f"{prefix}moodwire.yaml"
    sink = f'{{bootstrap_servers: "{servers}", topic_prefix: {prefix}}}'
    settings.write_text(f"sinks: {{kafka: {sink}}}\nflink: {{rest_port: 1}}\n")
    panes = Panes(brands, windows)
    producer = KafkaProducer(bootstrap_servers=servers, linger_ms=20)
    for trend in panes.history():
        producer.send(f"{prefix}trends", key=trend.key.encode(), value=encode(trend))
    producer.flush()
    log = stack.home / f"{prefix}servers.log"
    with serving("exporter", settings, log) as (url, pid):
        exporter = measure_exporter(url, pid)
    with serving("serve", settings, log) as (url, pid):
        page = measure_page(url, pid)
        topic = f"{prefix}trends"
        following = measure_viewers(url, pid, panes, producer, topic=topic, seconds=seconds)
    producer.close()
    return {
        "brands": brands,
        "series": brands * len(SLICES),
        "trends": brands * len(SLICES) * windows,
        "exporter": exporter,
        "page": page,
        "viewers": following,
    }


def await_current(url: str) -> float:
    """Seconds until metrics are served: all that the topics held is known."""
    began = time.monotonic()
    wait(lambda: ask(f"{url}/metrics") is not None, PATIENCE_SECONDS)
    return time.monotonic() - began


def measure_exporter(url: str, pid: int) -> dict[str, Any]:
    """Scrapes one after the other, as Prometheus makes them."""
    caught_up = await_current(url)
    scrapes = [fetch(f"{url}/metrics") for _ in range(SCRAPES)]
    text = scrapes[-1].body
    packed = fetch(f"{url}/metrics", Accept_Encoding="gzip", Accept=OPEN_METRICS)
    return {
        "caught_up_seconds": round(caught_up, 1),
        "scrape_seconds": _spread([scrape.seconds for scrape in scrapes]),
        "samples": sum(not line.startswith(b"#") for line in text.splitlines()),
        "bytes": len(text),
        "packed_bytes": len(packed.body),
        "megabytes": megabytes(pid),
        "peak_megabytes": megabytes(pid, "VmHWM"),
    }


def measure_page(url: str, pid: int) -> dict[str, Any]:
    """What a viewer loads first."""
    caught_up = await_current(url)
    loads = [fetch(f"{url}/api/state", Accept_Encoding="gzip") for _ in range(5)]
    state = gzip.decompress(loads[-1].body)
    return {
        "caught_up_seconds": round(caught_up, 1),
        "windows": len(msgspec.json.decode(state)["windows"]),
        "load_seconds": _spread([load.seconds for load in loads]),
        "bytes": len(state),
        "packed_bytes": len(loads[-1].body),
        "megabytes": megabytes(pid),
        "peak_megabytes": megabytes(pid, "VmHWM"),
    }


def measure_viewers(
    url: str, pid: int, panes: Panes, producer: Any, *, topic: str, seconds: float
) -> dict[str, Any]:
    """Ten viewers follow; one of them loses its connection for two seconds."""
    last_id = msgspec.json.decode(fetch(f"{url}/api/state").body)["id"]
    sent: dict[int, float] = {}
    viewers = [Viewer(url, last_id, sent) for _ in range(VIEWERS)]
    viewers[0].leaves_after = max(1, int(seconds / TICK_SECONDS / 3))
    for viewer in viewers:
        viewer.start()
    began, used = time.monotonic(), cpu_seconds(pid)
    news, ticks = panes.news(), int(seconds / TICK_SECONDS)
    for tick in range(ticks):
        time.sleep(max(0.0, began + tick * TICK_SECONDS - time.monotonic()))
        for trend in (next(news) for _ in range(PANES_A_TICK)):
            sent[trend.pane_index] = time.monotonic()
            producer.send(topic, key=trend.key.encode(), value=encode(trend))
    producer.flush()
    for viewer in viewers:
        viewer.last_pane = max(sent)
    for viewer in viewers:
        viewer.join(PATIENCE_SECONDS / VIEWERS)
    took = time.monotonic() - began
    steady = [lag for viewer in viewers[1:] for lag in viewer.lags.values()]
    updates = [viewer.updates for viewer in viewers[1:]]
    heard = sum(viewer.size_bytes for viewer in viewers)
    return {
        "seconds": round(took, 1),
        "panes": len(sent),
        "missing": sum(len(sent.keys() - viewer.lags.keys()) for viewer in viewers),
        "resets": sum(viewer.resets for viewer in viewers),
        "lag_seconds": {
            "p50": round(percentile(steady, 0.5), 3),
            "p95": round(percentile(steady, 0.95), 3),
            "highest": round(max(steady), 3),
        },
        "updates_a_second": round(sum(updates) / len(updates) / took, 1),
        "bytes_an_update": round(heard / sum(viewer.updates for viewer in viewers)),
        "cores": round((cpu_seconds(pid) - used) / took, 2),
        "megabytes": megabytes(pid),
    }


def _spread(seconds: list[float]) -> dict[str, float]:
    return {
        "median": round(percentile(seconds, 0.5), 3),
        "highest": round(max(seconds), 3),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure each number of brands and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brands", nargs="+", type=int, default=[100, 1000])
    parser.add_argument("--windows", type=int, default=WINDOWS)
    parser.add_argument("--seconds", type=float, default=30.0, help="that viewers follow")
    parser.add_argument("--home", type=Path, default=REPOSITORY / ".run" / "bench-exporter")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args(arguments)
    machine, runs = describe_machine(), []
    with own_stack(options.home.resolve(), with_flink=False) as stack:
        for brands in options.brands:
            runs.append(measure(stack, brands, options.windows, options.seconds))
            print(runs[-1], flush=True)
    remove_data(options.home)
    results = {"machine": machine, "windows": options.windows, "runs": runs}
    write_results(results, in_words(results), options.results, "exporter")
    return 0


if __name__ == "__main__":
    sys.exit(main())
