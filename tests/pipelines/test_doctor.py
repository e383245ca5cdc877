"""The doctor finds what is missing and says what to do."""

import http.server
import io
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from rich.console import Console

from pipelines import doctor
from pipelines.checks import machine
from pipelines.checks.check import Check
from pipelines.checks.network import (
    check_address,
    check_kafka_sink,
    check_kafka_source,
    check_port,
)
from pipelines.delivery.settings import AlertmanagerSettings, DeliverySettings, WebhookSettings
from pipelines.settings import (
    KafkaSource,
    PrivacySettings,
    Settings,
    SourceSettings,
    load_settings,
)
from tests.servers import free_port
from transforms.kafka.cluster import Cluster


@pytest.fixture
def listener() -> Iterator[int]:
    """A port of this process that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_this_python_fits() -> None:
    assert machine.check_python().ok


def test_packages_in_their_ranges_are_one_line() -> None:
    checks = machine.check_packages(["msgspec>=0.1", "rich>=1", "torch; extra == 'gpu'"])

    assert checks == [Check("Packages", True, "2 in their ranges")]


def test_every_installed_package_is_in_the_range_that_the_project_declares() -> None:
    assert [check for check in machine.check_packages() if not check.ok] == []


def test_a_missing_package_and_one_out_of_range_have_lines_of_their_own() -> None:
    checks = machine.check_packages(["no-such-package", "rich<1"])

    assert [(check.name, check.ok) for check in checks] == [
        ("Package no-such-package", False),
        ("Package rich", False),
    ]
    assert checks[0].found == "missing"
    assert checks[1].found.endswith("wanted <1")
    assert all("make setup" in check.remedy for check in checks)


def test_a_package_that_fits_has_no_fault() -> None:
    assert machine.package_fault(Requirement("msgspec>=0.1")) is None


def test_without_prism_and_go_a_run_is_still_possible(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "find_prism", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    prism, go, java = machine.check_runner()

    assert (prism.ok, go.ok, java.ok) == (False, False, False)
    assert not (prism.required or go.required or java.required)
    assert prism.remedy == "install Go and run `make prism`"


def test_with_prism_go_is_not_missed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "find_prism", lambda: "/tools/prism")
    monkeypatch.setenv("PATH", str(tmp_path))

    prism, go, _ = machine.check_runner()

    assert (prism.ok, prism.found, go.remedy) == (True, "/tools/prism", "")


def test_a_program_that_fails_counts_as_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "java").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "java").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert machine.program_version("java", "-version") is None


def test_a_folder_without_a_checkpoint_fails_with_the_remedy(tmp_path: Path) -> None:
    check = machine.check_model(tmp_path)

    assert not check.ok
    assert "is missing" in check.found
    assert "name a folder" in check.remedy


def test_a_folder_that_does_not_exist_yet_is_judged_by_its_parent(tmp_path: Path) -> None:
    assert machine.check_folder(tmp_path / "new/run").ok
    assert machine.check_disk(tmp_path / "new/run").ok


def test_a_file_in_the_place_of_the_run_folder_fails(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")

    check = machine.check_folder(tmp_path / "out")

    assert not check.ok
    assert "sinks.folder" in check.remedy


def test_a_full_disk_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "FREE_BYTES", 10**18)

    assert "sinks.folder" in machine.check_disk(tmp_path).remedy


def test_a_free_port_is_free() -> None:
    assert check_port("127.0.0.1", free_port()).ok


def test_a_taken_port_names_its_process(listener: int) -> None:
    check = check_port("127.0.0.1", listener)

    assert not check.ok
    assert f"process {os.getpid()} " in check.found
    assert "sinks.page.port" in check.remedy


def test_a_silent_broker_is_named_with_its_key() -> None:
    cluster = Cluster(f"127.0.0.1:{free_port()}")

    source, sink = check_kafka_source(cluster, ["posts"]), check_kafka_sink(cluster, ["alerts"])

    assert not (source.ok or sink.ok)
    assert "source.kafka.bootstrap_servers" in source.found
    assert "sinks.kafka.bootstrap_servers" in sink.found
    assert "deploy.kafka.broker start" in source.remedy
    assert source.remedy == sink.remedy


def test_a_webhook_that_answers_is_not_sent_anything() -> None:
    class Refuse(http.server.BaseHTTPRequestHandler):
        """Fails the test when it is asked anything."""

        def handle(self) -> None:
            assert self.rfile.readline() == b""

    with http.server.HTTPServer(("127.0.0.1", 0), Refuse) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        check = check_address("Webhook", f"http://127.0.0.1:{server.server_port}/alerts", "url")
        thread.join()

    assert check.ok


def test_a_webhook_that_is_away_is_named_with_its_key() -> None:
    check = check_address("Webhook", f"http://127.0.0.1:{free_port()}/alerts", "the.key")

    assert not check.ok
    assert "the.key" in check.remedy


def test_only_configured_ends_are_checked() -> None:
    assert doctor.check_source(Settings()) == []
    assert doctor.check_sinks(Settings()) == []


def test_configured_ends_are_checked(tmp_path: Path) -> None:
    port = free_port()
    settings = Settings(
        source=SourceSettings(
            path=str(tmp_path / "posts.jsonl"),
            kafka=KafkaSource(bootstrap_servers=f"127.0.0.1:{port}"),
        ),
        delivery=DeliverySettings(
            webhooks=(WebhookSettings(name="desk", url=f"http://127.0.0.1:{port}", secrets=()),),
            alertmanager=AlertmanagerSettings(url=f"http://127.0.0.1:{port}"),
        ),
    )

    checks = doctor.check_source(settings) + doctor.check_receivers(settings)

    assert [(check.name, check.ok) for check in checks] == [
        ("Source", False),
        ("Kafka source", False),
        ("Webhook desk", False),
        ("Alertmanager", False),
    ]


@pytest.mark.parametrize(("required", "code"), [(True, 1), (False, 0)])
def test_the_exit_code_is_one_when_a_required_thing_is_missing(
    monkeypatch: pytest.MonkeyPatch, required: bool, code: int
) -> None:
    missing = Check("Thing", False, "[none]", "get one", required)
    monkeypatch.setattr(doctor, "check_all", lambda settings: [missing])
    console = Console(file=io.StringIO(), width=100)

    assert doctor.run_doctor(None, console) == code

    shown = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO above
    assert all(word in shown for word in ("Thing", "[none]", "get one"))
    assert ("1 of 1 to mend" in shown) == required


def test_the_author_key_of_the_example_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOODWIRE_AUTHOR_KEY", raising=False)
    example = Path(__file__).parents[2] / "moodwire.example.yaml"

    check = doctor.check_author_key(load_settings(example))

    assert not check.ok and not check.required and "MOODWIRE_AUTHOR_KEY" in check.remedy


def test_settings_without_an_author_key_cannot_run() -> None:
    keyed = Settings(privacy=PrivacySettings(author_key="sixteen or longer"))

    assert not doctor.check_author_key(Settings()).ok
    assert doctor.check_author_key(keyed) == Check("Author key", True, "17 characters")


def test_settings_that_cannot_be_read_are_a_finding_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "check_all", lambda settings: [])
    console = Console(file=io.StringIO(), width=200)

    assert doctor.run_doctor(str(tmp_path / "none.yaml"), console) == 1
    assert "none.yaml" in console.file.getvalue()  # type: ignore[attr-defined]
