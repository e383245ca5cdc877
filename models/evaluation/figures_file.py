"""Figures as JSON, for programs and for whoever compares two runs."""

from pathlib import Path

import msgspec


def write_figures(found: object, file: Path) -> None:
    """Writes what was measured, indented, as whole lines."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
