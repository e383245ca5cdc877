"""The ports of the stack on one machine, as ports.yaml says them."""

from __future__ import annotations

from pathlib import Path

import msgspec

PORTS = Path(__file__).with_name("ports.yaml")


class Ports(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number for each server; where a server has several, the first of them."""

    kafka: int
    kafka_controller: int
    zookeeper: int
    flink_rest: int
    flink_rpc: int
    flink_blobs: int
    task_managers: int
    workers: int
    flink_metrics: int
    prometheus: int
    alertmanager: int
    exporter: int
    delivery: int

    def shifted(self, by: int) -> Ports:
        """The same ports `by` higher, for a second stack beside the first."""
        return Ports(**{name: port + by for name, port in msgspec.structs.asdict(self).items()})


def read_ports(path: Path = PORTS) -> Ports:
    """The ports of `path`."""
    return msgspec.yaml.decode(path.read_bytes(), type=Ports)
