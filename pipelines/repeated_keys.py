"""Finds keys that stand twice in a settings file: YAML would keep the last and drop the others."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

MERGE = "tag:yaml.org,2002:merge"


def find_repeated_keys(text: str) -> Iterator[str]:
    r"""Each such key with its lines and the remedy.

    >>> list(find_repeated_keys("sinks: {folder: a}\nsinks: {}"))
    ['sinks: stands in lines 1 and 2, so one of them would be dropped; merge the two']
    """
    root = yaml.compose(text, yaml.SafeLoader)
    yield from _repeated_below(root, "", set())


def _repeated_below(node: yaml.Node | None, at: str, met: set[int]) -> Iterator[str]:
    if not isinstance(node, yaml.CollectionNode) or id(node) in met:
        return
    met.add(id(node))  # an alias leads here again
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _repeated_below(item, f"{at}[{number}]", met)
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = f"{at}.{key.value}".lstrip("."), key.start_mark.line + 1
        if key.tag != MERGE and name in lines:
            yield (
                f"{name}: stands in lines {lines[name]} and {line}, so one of them would be "
                "dropped; merge the two"
            )
        lines[name] = line
        yield from _repeated_below(value, name, met)
