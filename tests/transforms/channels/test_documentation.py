"""docs/channels.md says what the adapters do."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from schemas.records import SourcePost
from tests.builders import a_delivery
from transforms.channels.registry import ADAPTERS, read_source_post

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "channels.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([a-z0-9_]+)`", TEXT))


def causes(name: str) -> Iterator[str]:
    """The causes that code of stage 1 gives to an error class, as far as they are literals."""
    for file in (ROOT / "transforms").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
                cause = node.args[0]
                if isinstance(cause, ast.Constant) and isinstance(cause.value, str):
                    yield cause.value


def test_the_generic_example_is_read_as_documented() -> None:
    example = re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None

    post = read_source_post(a_delivery(example[1].encode()))
    assert all(getattr(post, name) for name in SourcePost.__struct_fields__ if name != "is_repost")


def test_every_channel_is_documented() -> None:
    assert set(ADAPTERS) <= NAMED


def test_every_cause_is_documented() -> None:
    found = {*causes("Refused"), *causes("Unusable"), "not_json", "not_utf8", "truncated"}

    assert len(found) > 20
    assert found <= NAMED
