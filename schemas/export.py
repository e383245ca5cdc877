"""Writes the JSON Schema of every wire record: `python -m schemas.export`."""

from __future__ import annotations

import json
from pathlib import Path

from schemas.records import json_schemas

FOLDER = Path(__file__).parent / "json"


def rendered_schemas() -> dict[str, str]:
    """The text of each JSON Schema file, by file name."""
    return {
        f"{name.lower()}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in json_schemas().items()
    }


def main() -> None:
    """Writes every file; one of a record that no longer exists is removed."""
    FOLDER.mkdir(exist_ok=True)
    wanted = rendered_schemas()
    for file in FOLDER.glob("*.schema.json"):
        if file.name not in wanted:
            file.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
