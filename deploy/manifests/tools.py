"""What the checks of the manifests need from registries, fetched when absent into `.tools`."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from deploy.jars import LOCK, fetch_jars, find_java
from deploy.processes import REPOSITORY, find_program, run

TOOLS = REPOSITORY / ".tools" / "manifests"
POM = REPOSITORY / "deploy" / "kubernetes" / "schemas" / "pom.xml"
USER = "the check of the manifests"
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1"
COMPOSE = "github.com/compose-spec/compose-go/v2@v2.16.2"
KUBERNETES = "kubernetes-validate==1.37.0"
KUBERNETES_RELEASE = "1.33.0"  # the manifests must suit clusters of this age
STRIMZI = {
    "kafka": "io.strimzi.api.kafka.model.kafka.Kafka",
    "node-pool": "io.strimzi.api.kafka.model.nodepool.KafkaNodePool",
    "topic": "io.strimzi.api.kafka.model.topic.KafkaTopic",
    "user": "io.strimzi.api.kafka.model.user.KafkaUser",
}
FLINK_DEFINITION = "META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"


class Tools(NamedTuple):
    """Where everything lies once fetched.

    Attributes:
        kustomize: the command that builds a folder, without the folder.
        kubernetes: folder of strict JSON Schemas, one file for each kind of Kubernetes.
        definitions: folder of CustomResourceDefinitions, Strimzi's and Flink's.
        compose: JSON Schema of compose files.
    """

    kustomize: tuple[str, ...]
    kubernetes: Path
    definitions: Path
    compose: Path


def fetch_tools(home: Path = TOOLS) -> Tools:
    """Fetch what is absent, all at the same time.

    Raises:
        ProcessError: something cannot be had, with the remedy.
    """
    home.mkdir(parents=True, exist_ok=True)
    steps: Sequence[Callable[[Path], object]] = (
        _find_kustomize,
        _fetch_kubernetes,
        _fetch_definitions,
        _fetch_compose,
    )
    with ThreadPoolExecutor(len(steps)) as threads:
        kustomize, *places = threads.map(lambda step: step(home), steps)
    return Tools(kustomize, *places)


def build(overlay: Path, kustomize: Sequence[str]) -> str:
    """The manifests of `overlay` as YAML documents.

    Raises:
        ProcessError: kustomize refuses it, with its words.
    """
    return run([*kustomize, str(overlay)])


def _find_kustomize(home: Path) -> tuple[str, ...]:
    """Of the PATH, or within kubectl; where neither is there Go builds it."""
    built = home / "kustomize"
    if built.exists():
        return (str(built), "build")
    for program, command in (("kustomize", "build"), ("kubectl", "kustomize")):
        if found := shutil.which(program):
            return (found, command)
    remedy = "install Go, kubectl or kustomize"
    go = find_program("go", remedy, USER)
    run([go, "install", KUSTOMIZE], {**os.environ, "GOBIN": str(home), "CGO_ENABLED": "0"})
    return (str(built), "build")


def _fetch_kubernetes(home: Path) -> Path:
    target = home / KUBERNETES.replace("==", "-")
    if not target.exists():
        with _unfinished(target) as made:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            run([*pip, "--no-deps", "--no-compile", "--target", made, KUBERNETES])
            Path(made).rename(target)
    schemas = target / "kubernetes_validate" / "kubernetes-json-schema"
    return schemas / f"v{KUBERNETES_RELEASE}-local-strict"


def _fetch_definitions(home: Path) -> Path:
    """Strimzi's definitions as its own generator writes them; Flink's lie in its jar."""
    target, stamp = home / "definitions", home / "definitions.lock"
    lock = POM.with_name(LOCK).read_bytes()
    if stamp.exists() and stamp.read_bytes() == lock:
        return target
    jars = fetch_jars(POM, home / "jars" / "lib", USER)
    shutil.rmtree(target, ignore_errors=True)
    with _unfinished(target) as made:
        outputs = [f"{name}={made}/{file}.yaml" for file, name in STRIMZI.items()]
        generator = ["io.strimzi.crdgenerator.CrdGenerator", "--yaml", *outputs]
        run([find_java(USER), "-cp", _class_path(jars), *generator])
        (operator,) = jars.glob("flink-kubernetes-operator-api-*.jar")
        shutil.unpack_archive(operator, f"{made}/operator", "zip")
        shutil.move(f"{made}/operator/{FLINK_DEFINITION}", f"{made}/flink.yaml")
        shutil.rmtree(f"{made}/operator")
        Path(made).rename(target)
    stamp.write_bytes(lock)
    return target


def _class_path(jars: Path) -> str:
    """The generator last: it holds older copies of classes that the other jars bring."""
    ordered = sorted(jars.glob("*.jar"), key=lambda jar: (jar.name.startswith("crd-"), jar.name))
    return os.pathsep.join(map(str, ordered))


def _fetch_compose(home: Path) -> Path:
    target = home / "compose-spec.json"
    stamp = home / "compose-spec.version"
    if not target.exists() or not stamp.exists() or stamp.read_text() != COMPOSE:
        go = find_program("go", "install Go", USER)
        # A module of its own: outside of one, `go mod download` may refuse.
        with tempfile.TemporaryDirectory(dir=home) as made:
            answer = run([go, "-C", made, "mod", "download", "-json", COMPOSE])
        schema = Path(json.loads(answer)["Dir"]) / "schema" / "compose-spec.json"
        target.write_bytes(schema.read_bytes())
        stamp.write_text(COMPOSE)
    return target


def _unfinished(target: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder beside `target` that is either renamed to it or goes away."""
    return tempfile.TemporaryDirectory(dir=target.parent, ignore_cleanup_errors=True)
