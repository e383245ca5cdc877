"""What the manifests and the compose file describe, as tests read it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from deploy.manifests.tools import build, fetch_tools

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
OVERLAYS = ("small", "production", "delivering")  # the last: production, its component taken in


@cache
def built(overlay: str) -> str:
    """The manifests of an overlay, as `kubectl apply --kustomize` would send them."""
    if overlay != "delivering":
        return build(DEPLOY / "kubernetes" / "overlays" / overlay, fetch_tools().kustomize)
    with TemporaryDirectory() as made:
        copied = shutil.copytree(DEPLOY / "kubernetes", Path(made) / "kubernetes")
        chosen = copied / "overlays/production/kustomization.yaml"
        chosen.write_text(chosen.read_text().replace("# components:", "components:"))
        return build(chosen.parent, fetch_tools().kustomize)


def documents(overlay: str) -> list[dict[str, Any]]:
    """The same, read."""
    return list(yaml.safe_load_all(built(overlay)))


def one(overlay: str, kind: str, name: str) -> dict[str, Any]:
    """The one resource of that kind and name."""
    (found,) = [
        document
        for document in documents(overlay)
        if (document["kind"], document["metadata"]["name"]) == (kind, name)
    ]
    return found


def pods(document: Any) -> Iterator[dict[str, Any]]:
    """Everything in a resource that is a pod's spec."""
    if isinstance(document, dict):
        if {"containers", "initContainers"} & document.keys():
            yield document
        for value in document.values():
            yield from pods(value)
    if isinstance(document, list):
        for value in document:
            yield from pods(value)


def containers(overlay: str) -> Iterator[dict[str, Any]]:
    """Every container that the manifests describe."""
    for document in documents(overlay):
        for pod in pods(document):
            yield from (*pod.get("initContainers", ()), *pod.get("containers", ()))


def compose() -> dict[str, Any]:
    """The services of the compose file by name."""
    text = (DEPLOY / "compose/compose.yaml").read_text()
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return services


def deployed(overlay: str) -> dict[str, dict[str, Any]]:
    """The pod of each Deployment by name."""
    return {
        document["metadata"]["name"]: document["spec"]["template"]
        for document in documents(overlay)
        if document["kind"] == "Deployment"
    }


def asked_of(pod: dict[str, Any]) -> list[str]:
    """What the one container of a pod asks `moodwire` to do."""
    (container,) = pod["spec"]["containers"]
    program, *arguments = container["args"]
    assert program == "moodwire"
    return list(arguments)


def configured(overlay: str, name: str) -> str:
    """The settings file that a Deployment reads."""
    volumes = deployed(overlay)[name]["spec"]["volumes"]
    (volume,) = [volume for volume in volumes if volume["name"] == "settings"]
    data = one(overlay, "ConfigMap", volume["configMap"]["name"])["data"]
    return str(data["moodwire.yaml"])
