"""Beam's worker pool for one machine: `python -m deploy.flink.worker_pool --port 50001`.

Beam's own (`apache_beam.runners.worker.worker_pool_main`) listens on every interface, takes
`python` from PATH, leaves zombies, stops a worker that prints 64 KB, caches no state, and takes
the workers of two task managers for one another, since each counts from `1-1`. Here a worker
belongs to the task manager that asked for it, and ends once that one no longer listens for it.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

from deploy.processes import is_listening

LOOK_SECONDS = 1.0
GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Worker:
    """A process that runs Python steps for the task manager which listens on `port`."""

    process: subprocess.Popen[bytes]
    port: int

    def has_ended(self) -> bool:
        """Whether it is gone; the first to ask takes its last word, so that no zombie stays."""
        return self.process.poll() is not None

    def end(self) -> None:
        """End it, by force if it does not hear."""
        self.process.terminate()
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class WorkerPool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Starts workers when a task manager asks and ends them when it is through with them."""

    flags: list[str]
    workers: list[Worker] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def StartWorker(
        self, request: beam_fn_api_pb2.StartWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StartWorkerResponse:
        """Start a worker that works for the caller's control endpoint."""
        control = request.control_endpoint.url
        command = [sys.executable, "-m", "deploy.flink.worker", control, request.worker_id]
        with self.lock:
            process = subprocess.Popen([*command, *self.flags], stdin=subprocess.DEVNULL)
            self.workers.append(Worker(process, int(control.rpartition(":")[2])))
        print(f"worker {request.worker_id} of {control}: pid {process.pid}", flush=True)
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(
        self, request: beam_fn_api_pb2.StopWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """Nothing: the id says not whose worker is meant, the closing of its endpoint does."""
        return beam_fn_api_pb2.StopWorkerResponse()

    def sweep(self) -> None:
        """End the workers whose task manager listens no more."""
        with self.lock:
            self.workers = [worker for worker in self.workers if not worker.has_ended()]
            left = [worker for worker in self.workers if not is_listening(worker.port)]
        self._end(left)

    def close(self) -> None:
        """End every worker."""
        with self.lock:
            self._end(self.workers)

    def _end(self, workers: list[Worker]) -> None:
        if workers:
            with ThreadPoolExecutor(len(workers)) as threads:
                list(threads.map(Worker.end, workers))


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state-cache-mb", type=int, default=100, help="of each worker")
    parser.add_argument("--process", help="what tells this command line from others")
    options = parser.parse_args(arguments)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    pool = WorkerPool(["--state-cache-mb", str(options.state_cache_mb)])
    server = serve(pool, options.port)
    print(f"listening on 127.0.0.1:{options.port}", flush=True)
    while not ended.wait(LOOK_SECONDS):
        pool.sweep()
    server.stop(None)
    pool.close()
    return 0


def serve(pool: WorkerPool, port: int) -> Any:
    """A gRPC server of `pool` on 127.0.0.1:`port`, started; raises RuntimeError where taken."""
    # A task manager pings through quiet hours; gRPC would otherwise call that abuse and hang up.
    options = [
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.so_reuseport", 0),
    ]
    server = grpc.server(ThreadPoolExecutor(8), options=options)
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server


if __name__ == "__main__":
    sys.exit(main())
