"""Strict checks by schema: what a schema does not name is a mistake, as is a wrong type.

For your own: `python -m tests.deploy.manifest_checks deploy/kubernetes/overlays/small`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from deploy.manifests.tools import Tools, build, fetch_tools
from deploy.processes import ProcessError

ANYTHING = "x-kubernetes-preserve-unknown-fields"


class Checker:
    """Finds what is wrong with manifests, each in the terms of its own kind's schema."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self._definitions = read_definitions(tools.definitions)

    def check(self, manifests: str) -> list[str]:
        """One line for each mistake in the YAML documents of `manifests`."""
        documents = [one for one in yaml.load_all(manifests, _Strict) if one is not None]
        return [mistake for document in documents for mistake in self.check_one(document)]

    def check_one(self, document: dict[str, Any]) -> list[str]:
        """One line for each mistake in one resource."""
        version, kind = str(document.get("apiVersion")), str(document.get("kind"))
        name = f"{kind} {document.get('metadata', {}).get('name')}"
        validator = self._validator(version, kind)
        if validator is None:
            return [f"{name}: no schema of {version} {kind}"]
        return [f"{name}: {mistake}" for mistake in mistakes(validator, document)]

    def check_compose(self, text: str) -> list[str]:
        """One line for each mistake in a compose file."""
        return list(mistakes(_read_validator(self.tools.compose), yaml.load(text, _Strict)))

    def _validator(self, version: str, kind: str) -> Validator | None:
        schema = self._definitions.get((version, kind))
        if schema is not None:
            return Draft7Validator(schema)
        group, _, release = version.rpartition("/")
        parts = [kind.lower(), *([group.split(".")[0]] if group else []), release]
        file = self.tools.kubernetes / f"{'-'.join(parts)}.json"
        return _read_validator(file) if file.exists() else None


def read_definitions(folder: Path) -> dict[tuple[str, str], Any]:
    """Strict schemas by apiVersion and kind, from CustomResourceDefinitions."""
    found = {}
    for file in folder.glob("*.yaml"):
        spec = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)["spec"]
        for version in spec["versions"]:
            schema = close(version["schema"]["openAPIV3Schema"])
            # Every resource has these; a definition need not say so.
            schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def close(schema: Any) -> Any:
    """A schema of a definition in which objects take no fields but those it names.

    >>> close({"properties": {"a": {"x-kubernetes-int-or-string": True}}})["additionalProperties"]
    False
    """
    if isinstance(schema, list):
        return [close(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: close(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        closed["properties"] = {name: close(one) for name, one in schema["properties"].items()}
        if not schema.get(ANYTHING):
            closed.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string") is True:
        closed.pop("type", None)
        closed["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return closed


def mistakes(validator: Validator, document: Any) -> Iterator[str]:
    """Place and reason of each mistake."""
    for error in sorted(validator.iter_errors(document), key=lambda error: error.json_path):
        yield f"{error.json_path}: {error.message[:200]}"


@cache
def _read_validator(file: Path) -> Validator:
    text = file.read_text(encoding="utf-8")
    shared = file.with_name("_definitions.json")
    schema = json.loads(text.replace("/api/_definitions.json#", "#"))
    if shared.exists():
        schema["$defs"] = _read_shared(shared)
    kind: Any = validator_for(schema, default=Draft7Validator)
    found: Validator = kind(schema)
    return found


@cache
def _read_shared(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))["$defs"]


class _Strict(yaml.SafeLoader):
    """YAML in which a key that stands twice is a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = {name for name in names if names.count(name) > 1 and name != "<<"}
        if twice:
            raise yaml.MarkedYAMLError(problem=f"twice: {twice}", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


def main() -> int:
    """Check the overlays that are named."""
    checker, wrong = Checker(fetch_tools()), 0
    for folder in sys.argv[1:]:
        try:
            found = checker.check(build(Path(folder), checker.tools.kustomize))
        except ProcessError as error:
            found = [str(error)]
        print("\n".join([f"{folder}: {len(found)} mistakes", *found]))
        wrong += len(found)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
