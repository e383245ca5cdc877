"""Exporter, page and delivery, as deployed: one of each, and who reaches whom."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.live.server import LOOPBACK
from pipelines.command_line import build_parser
from pipelines.delivery.build import build_webhook
from pipelines.settings import Settings, load_settings
from tests.deploy.overlays import (
    DEPLOY,
    OVERLAYS,
    asked_of,
    compose,
    configured,
    deployed,
    documents,
    one,
)
from tests.pipelines.delivery.receiver import SECRET

pytestmark = pytest.mark.timeout(900)  # the first run fetches tools, on a busy machine for minutes
NAMESPACE = "kubernetes.io/metadata.name"
PORTS = {"exporter": 9464, "page": 8642}


def options_of(overlay: str, name: str) -> Any:
    """What a Deployment asks for, as the command line understands it."""
    return build_parser().parse_args(asked_of(deployed(overlay)[name]))


def test_people_are_told_only_where_receivers_are_named() -> None:
    told = {overlay: "deliver" in deployed(overlay) for overlay in OVERLAYS}

    assert told == {"small": False, "production": False, "delivering": True}
    assert compose()["deliver"]["profiles"] == ["deliver"]


def test_of_what_follows_topics_never_two_run() -> None:
    found = [one for one in documents("delivering") if one["kind"] == "Deployment"]

    assert {one["metadata"]["name"] for one in found} == {"launcher", "exporter", "page", "deliver"}
    for deployment in found:
        assert deployment["spec"]["replicas"] == 1
        assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert not [one for one in documents("delivering") if one["kind"] == "HorizontalPodAutoscaler"]
    assert "container_name" in compose()["deliver"]  # compose refuses to scale such a service


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_an_ordinary_user_s(overlay: str) -> None:
    pods = [pod["spec"] for pod in deployed(overlay).values()]
    pods.append(one(overlay, "FlinkDeployment", "moodwire-flink")["spec"]["podTemplate"]["spec"])

    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] >= 9999
        assert all("runAsUser" not in one["securityContext"] for one in pod["containers"])


def test_commands_are_understood() -> None:
    launched = [service.get("command", []) for service in compose().values()]
    asked = [command[1:] for command in launched if command[:1] == ["moodwire"]]
    pods = [asked_of(pod) for pod in deployed("delivering").values()]

    assert {command[0] for command in asked} == {"run", "feed", "exporter", "serve", "deliver"}
    assert {command[0] for command in pods} == {"run", "exporter", "serve", "deliver"}
    for command in (*asked, *pods):
        build_parser().parse_args(command)


@pytest.mark.parametrize(("name", "port"), PORTS.items())
def test_services_probes_and_policies_name_the_port_that_is_served(name: str, port: int) -> None:
    options, pod = options_of("small", name), deployed("small")[name]
    (container,) = pod["spec"]["containers"]
    (opened,) = container["ports"]
    (served,) = one("small", "Service", name)["spec"]["ports"]
    ((let_in,),) = [
        rule["ports"] for rule in one("small", "NetworkPolicy", name)["spec"]["ingress"]
    ]
    service = compose()[name]

    assert options.host == "0.0.0.0"
    assert options.port == opened["containerPort"] == served["port"] == let_in["port"] == port
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] == served["targetPort"] == opened["name"]
    assert service["ports"][0].endswith(f":{port}")
    assert service["healthcheck"]["test"][-1] == str(port)


def test_delivery_is_watched_where_it_serves_its_metrics() -> None:
    options, pod = options_of("delivering", "deliver"), deployed("delivering")["deliver"]
    (container,) = pod["spec"]["containers"]
    (opened,) = container["ports"]
    (served,) = one("delivering", "Service", "deliver")["spec"]["ports"]
    ((let_in,),) = [
        rule["ports"] for rule in one("delivering", "NetworkPolicy", "deliver")["spec"]["ingress"]
    ]
    service = compose()["deliver"]
    composed = build_parser().parse_args(service["command"][1:])

    assert options.metrics_host == composed.metrics_host == "0.0.0.0"
    assert options.metrics_port == opened["containerPort"] == served["port"] == let_in["port"]
    assert container["livenessProbe"]["httpGet"]["port"] == served["targetPort"] == opened["name"]
    assert service["ports"][0].endswith(f":{composed.metrics_port}")
    assert service["healthcheck"]["test"][-1] == str(composed.metrics_port)


def test_the_page_answers_to_its_probes_and_to_the_name_that_messages_link_to() -> None:
    (container,) = deployed("delivering")["page"]["spec"]["containers"]
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["httpHeaders"][0]["value"] in LOOPBACK
    page_url = yaml.safe_load(configured("delivering", "deliver"))["delivery"]["page_url"]

    assert options_of("small", "page").allow_host == [page_url.removeprefix("https://")]


def test_settings_need_what_their_container_has_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOODWIRE_KAFKA_PASSWORD", "a password")
    monkeypatch.delenv("MOODWIRE_AUTHOR_KEY", raising=False)

    def read(text: str) -> Settings:
        (tmp_path / "moodwire.yaml").write_text(text)
        return load_settings(tmp_path / "moodwire.yaml")

    for name in PORTS:
        settings = read(configured("small", name))
        assert settings.flink.master == "moodwire-flink-rest:8081"
        assert settings.sinks.kafka is not None
        assert settings.sinks.kafka.security.username == "moodwire-reader"
    token = re.sub(r"^# (?=serve:)", "", configured("small", "page"), flags=re.MULTILINE)
    monkeypatch.setenv("MOODWIRE_TOKEN", "sixteen-or-more-characters")
    assert read(token).serve.token == "sixteen-or-more-characters"
    monkeypatch.setenv("MOODWIRE_WEBHOOK_SECRET", SECRET)
    for text in (
        configured("delivering", "deliver"),
        (DEPLOY / "compose/deliver.yaml").read_text(),
    ):
        delivery = read(text).delivery
        assert delivery.state == "/var/lib/moodwire/delivery.sqlite"
        assert build_webhook(delivery.webhooks[0], 0).name == "crisis-desk"


def test_the_outbox_lies_on_a_volume_of_its_own() -> None:
    (container,) = deployed("delivering")["deliver"]["spec"]["containers"]
    volumes = deployed("delivering")["deliver"]["spec"]["volumes"]

    assert {"name": "outbox", "mountPath": "/var/lib/moodwire"} in container["volumeMounts"]
    assert {"name": "outbox", "persistentVolumeClaim": {"claimName": "deliver"}} in volumes
    assert one("delivering", "PersistentVolumeClaim", "deliver")
    assert "deliver:/var/lib/moodwire" in compose()["deliver"]["volumes"]


def test_each_reaches_and_is_reached_by_what_it_needs() -> None:
    labels = {n: pod["metadata"]["labels"] for n, pod in deployed("delivering").items()}
    policies = [one for one in documents("delivering") if one["kind"] == "NetworkPolicy"]
    let_in: dict[str, set[str]] = {name: set() for name in labels}
    let_out: dict[str, set[str]] = {name: set() for name in labels}
    for policy in policies:
        chosen = policy["spec"]["podSelector"].get("matchLabels", {}).items()
        for name in (name for name, has in labels.items() if chosen <= has.items()):
            let_out[name] |= {policy["metadata"]["name"]} if policy["spec"].get("egress") else set()
            for rule in policy["spec"].get("ingress", ()):
                let_in[name] |= {
                    peer["namespaceSelector"]["matchLabels"][NAMESPACE] for peer in rule["from"]
                }

    assert let_in == {
        "launcher": set(),
        "exporter": {"monitoring"},
        "page": {"ingress-nginx"},
        "deliver": {"monitoring"},
    }
    follows = {"look-up-names", "kafka-clients"}
    assert let_out == {
        "launcher": {*follows, "flink-clients"},
        "exporter": {*follows, "flink-clients"},
        "page": {*follows, "flink-clients"},
        "deliver": {*follows, "deliver"},
    }


def test_what_asks_flink_carries_the_label_that_its_policy_lets_in() -> None:
    label = {"moodwire/flink-client": "true"}
    pods = {n: pod["metadata"]["labels"].items() for n, pod in deployed("delivering").items()}
    peers = [
        peer["podSelector"]["matchLabels"]
        for rule in one("delivering", "NetworkPolicy", "flink")["spec"]["ingress"]
        for peer in rule["from"]
        if "podSelector" in peer
    ]

    assert peers == [{"app": "moodwire-flink"}, label]
    assert {n for n, has in pods.items() if label.items() <= has} == {"launcher", *PORTS}
