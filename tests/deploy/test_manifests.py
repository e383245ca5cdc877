"""The Kubernetes manifests and the compose file, by the schemas of those who read them."""

import re
from pathlib import Path

import pytest
import yaml

from deploy.flink.jars import FLINK_VERSION
from deploy.manifests.tools import fetch_tools
from deploy.manifests.topics import RESOURCES, topic_text
from pipelines import delays, feedback, run_readings, topic_feed, topic_letters
from pipelines.delivery import sources
from pipelines.settings import KafkaSource, Settings, load_settings
from tests.deploy.manifest_checks import Checker
from tests.deploy.overlays import (
    DEPLOY,
    OVERLAYS,
    built,
    compose,
    configured,
    containers,
    documents,
    one,
)

pytestmark = pytest.mark.timeout(900)  # the first run fetches tools, on a busy machine for minutes
KAFKA_VERSION = re.findall(
    r"<artifactId>kafka_2.13</artifactId>\s*<version>(.+)</version>",
    (DEPLOY / "kafka/pom.xml").read_text(),
)[0]
OF_OPERATORS = {"strimzi.io/cluster", "strimzi.io/kind", "app", "component"}  # labels they set


@pytest.fixture(scope="module")
def checker() -> Checker:
    """Schemas and kustomize, fetched on the first run."""
    return Checker(fetch_tools())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_manifest_is_what_its_schema_asks_for(checker: Checker, overlay: str) -> None:
    assert checker.check(built(overlay)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("strategy:", "strateggy:", "Deployment launcher: $.spec"),
        (
            "replicas: 1\n  selector",
            "replicas: one\n  selector",
            "Deployment launcher: $.spec.repl",
        ),
        ("endPort:", "endport:", "NetworkPolicy"),
        ("maxUnavailable: 1", "maxUnavailable: [1]", "PodDisruptionBudget"),
        ("apiVersion: policy/v1", "apiVersion: policy/v9", "no schema of policy/v9"),
        ("partitions: 4", 'partitions: "four"', "KafkaTopic"),
        ("patternType: prefix", "patternType: regex", "KafkaUser"),
        ("scram-sha-512", "scram-md5", "Kafka"),
        ("- broker\n", "- brocker\n", "KafkaNodePool"),
        ("deleteClaim: false", "deletClaim: false", "KafkaNodePool"),
        ("flinkVersion: v1_19", "flinkVersion: v9_9", "FlinkDeployment"),
        ("readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true", "FlinkDeployment"),
        ("restartPolicy: Always", "restartPolice: Always", "FlinkDeployment"),
        ('blob.server.port: "6124"', "blob.server.port: 6124", "FlinkDeployment"),
    ],
)
def test_a_planted_mistake_is_found(checker: Checker, right: str, wrong: str, said: str) -> None:
    assert right in built("small")
    found = checker.check(built("small").replace(right, wrong))

    assert any(said in mistake for mistake in found), found


def test_a_key_that_stands_twice_is_found(checker: Checker) -> None:
    with pytest.raises(yaml.YAMLError, match="twice"):
        checker.check("apiVersion: v1\nkind: Namespace\nkind: Pod")


def test_the_compose_file_is_what_its_schema_asks_for(checker: Checker) -> None:
    text = (DEPLOY / "compose/compose.yaml").read_text()

    assert checker.check_compose(text) == []
    assert checker.check_compose(text.replace("depends_on", "depend_on")) != []
    assert checker.check_compose(text.replace("cap_drop: [ALL]", "cap_drop: ALL")) != []


def test_topics_are_declared_once() -> None:
    assert RESOURCES.read_text() == topic_text(), "run `python -m deploy.manifests topics`"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pod_templates_are_merged_by_name(overlay: str) -> None:
    settings = one(overlay, "FlinkDeployment", "moodwire-flink")["spec"]["flinkConfiguration"]

    assert settings["kubernetes.operator.pod-template.merge-arrays-by-name"] == "true"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_secret_is_in_a_manifest(overlay: str) -> None:
    assert [document for document in documents(overlay) if document["kind"] == "Secret"] == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_containers_can_do_no_more_than_they_must(overlay: str) -> None:
    hardened = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    found = list(containers(overlay))

    assert len(found) >= 3
    for container in found:
        assert container["securityContext"].items() >= hardened.items(), container["name"]
    for container in found:
        if container["name"] != "flink-main-container":  # Flink's operator sets its resources
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"], container["name"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_find_something(overlay: str) -> None:
    labels = {
        (name, value)
        for name, value in re.findall(r"^ +([\w./-]+): \"?([\w.-]+)\"?$", built(overlay), re.M)
    }
    for document in documents(overlay):
        if document["kind"] in ("NetworkPolicy", "PodDisruptionBudget"):
            spec = document["spec"]
            wanted = spec.get("podSelector", spec.get("selector", {})).get("matchLabels", {})
            for label in wanted.items():
                assert label[0] in OF_OPERATORS or label in labels, document["metadata"]["name"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_is_reached_that_no_policy_names(overlay: str) -> None:
    policy = one(overlay, "NetworkPolicy", "deny-all")["spec"]

    assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def settings_of(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings as the launcher would read them."""
    monkeypatch.setenv("MOODWIRE_AUTHOR_KEY", "a-key-of-the-tests-alone")
    monkeypatch.setenv("MOODWIRE_KAFKA_PASSWORD", "another")
    (folder / "moodwire.yaml").write_text(text)
    return load_settings(folder / "moodwire.yaml")


def test_settings_fit_the_cluster_that_they_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(configured("small", "launcher"), tmp_path, monkeypatch)
    flink, kafka = one("small", "FlinkDeployment", "moodwire-flink"), settings.source.kafka
    (workers,) = flink["spec"]["taskManager"]["podTemplate"]["spec"]["initContainers"]

    assert settings.flink.master == f"{flink['metadata']['name']}-rest:8081"
    assert settings.flink.workers == f"localhost:{workers['args'][-1]}"
    assert kafka is not None and kafka.bootstrap_servers == "moodwire-kafka-bootstrap:9093"
    assert kafka.security.username == one("small", "KafkaUser", "moodwire")["metadata"]["name"]
    assert settings.sinks.kafka is not None and settings.sinks.kafka.security == kafka.security


def test_who_reads_results_may_read_all_that_page_exporter_and_delivery_follow() -> None:
    acls = one("small", "KafkaUser", "moodwire-reader")["spec"]["authorization"]["acls"]
    read = [acl["resource"] for acl in acls if "Read" in acl["operations"]]
    topics = {resource["name"] for resource in read if resource["type"] == "topic"}
    groups = tuple(resource["name"] for resource in read if resource["type"] == "group")

    assert {*topic_feed.KINDS, "readings"} <= topics
    for module in (topic_feed, delays, run_readings, feedback, topic_letters, sources):
        assert module.GROUP.startswith(groups)
    assert not KafkaSource().group_id.startswith(groups)  # the offsets of the pipeline are its own


def test_the_settings_in_containers_fit_the_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (DEPLOY / "compose/moodwire.yaml").read_text()
    settings, services = settings_of(text, tmp_path, monkeypatch), compose()

    assert settings.flink.master.partition(":")[0] in services
    assert settings.flink.workers == f"localhost:{services['workers-1']['command'][-1]}"
    assert settings.sinks.kafka is not None and settings.source.kafka is not None
    for kafka in (settings.source.kafka, settings.sinks.kafka):
        assert kafka.bootstrap_servers == "kafka:9092"


def test_published_ports_stay_on_this_machine() -> None:
    ports = [port for service in compose().values() for port in service.get("ports", ())]

    assert ports != [] and all(port.startswith("127.0.0.1:") for port in ports)


def test_every_container_is_bounded() -> None:
    for name, service in compose().items():
        assert {"cpus", "memory"} == service["deploy"]["resources"]["limits"].keys(), name
        assert service["cap_drop"] == ["ALL"], name
        assert "restart" in service, name


def test_images_are_of_the_versions_that_the_tests_run() -> None:
    images = {service["image"] for service in compose().values()}
    images |= {container["image"] for container in containers("production") if "image" in container}
    images |= {one("production", "FlinkDeployment", "moodwire-flink")["spec"]["image"]}

    assert images == {
        f"apache/kafka:{KAFKA_VERSION}",
        f"flink:{FLINK_VERSION}-java17",
        "moodwire:latest",
        "registry.example.com/moodwire:0.2.0",
    }


def test_the_image_is_made_of_what_the_builder_gets() -> None:
    root = DEPLOY.parent
    text = (DEPLOY / "image/Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    sent = re.findall(r"^!(.+)$", (root / ".dockerignore").read_text(), re.MULTILINE)

    assert {name for line in copied for name in line.split()} == set(sent)
    assert all((root / name).exists() for name in sent)
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["10001:10001"]
