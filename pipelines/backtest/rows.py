"""Rows of a series of counts from a CSV file, each checked; misuse is named with its line."""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

REMEDY = "Give a CSV file with the columns timestamp,value"


class BacktestError(ValueError):
    """The input or an option of `moodwire backtest` cannot be used; says where and why."""


class Row(NamedTuple):
    """One row: both columns as they were written, and what they mean (epoch seconds, count)."""

    timestamp: str
    value: str
    time: int
    counted: float


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a CSV file with the columns `timestamp` and `value`, in order of time.

    Further columns are left out, as are empty lines. `.gz` is read too.

    Raises:
        BacktestError: no such file, a column is missing, a row cannot be read or comes out of
            order, or there is none; names the line.
    """
    if not path.is_file():
        raise BacktestError(f"--input {path}: no such file. {REMEDY}")
    try:
        with _opened(path) as stream:
            yield from _parse(stream, path)
    except UnicodeDecodeError as error:
        raise BacktestError(f"{path}: is not UTF-8 text ({error.reason}). {REMEDY}") from error
    except (csv.Error, gzip.BadGzipFile, EOFError) as error:
        raise BacktestError(f"{path}: cannot be read as CSV: {error}. {REMEDY}") from error


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _parse(stream: IO[str], path: Path) -> Iterator[Row]:
    lines = csv.reader(stream)
    header = [name.strip() for name in next(lines, [])]
    at, last = _columns(header, path), None
    for fields in lines:
        if not fields:
            continue
        row = _row(fields, at, f"{path}, line {lines.line_num}")
        if last is not None and row.time <= last.time:
            raise BacktestError(
                f"{path}, line {lines.line_num}: {row.timestamp} does not come after "
                f"{last.timestamp}. Sort the rows by time, one a timestamp"
            )
        yield row
        last = row
    if last is None:
        raise BacktestError(f"{path}: holds no rows. {REMEDY} and at least one row below")


def _columns(header: list[str], path: Path) -> tuple[int, int]:
    if not header:
        raise BacktestError(f"{path}: is empty. {REMEDY}")
    for name in ("timestamp", "value"):
        if name not in header:
            found = ", ".join(header)[:120]
            raise BacktestError(f"{path}: has no column `{name}`, only {found}. {REMEDY}")
    return header.index("timestamp"), header.index("value")


def _row(fields: list[str], at: tuple[int, int], where: str) -> Row:
    if len(fields) <= max(at):
        raise BacktestError(f"{where}: has {len(fields)} fields, fewer than its header names")
    timestamp, value = fields[at[0]].strip(), fields[at[1]].strip()
    try:
        time = parse_time(timestamp)
    except ValueError as error:
        example = "Write 2026-11-25 08:05:00, or ISO 8601 with its offset"
        raise BacktestError(f"{where}: `{timestamp[:60]}` is no timestamp. {example}") from error
    return Row(timestamp, value, time, _count(value, where))


def _count(value: str, where: str) -> float:
    try:
        count = float(value)
    except ValueError as error:
        raise BacktestError(f"{where}: `{value[:60]}` is no number. Write a count") from error
    if not math.isfinite(count) or count < 0 or count > 1e15:
        raise BacktestError(f"{where}: {value[:60]} is no count. Write a number from 0 to 1e15")
    return count


def parse_time(text: str) -> int:
    """Epoch seconds of a timestamp; without an offset it is taken as UTC.

    >>> parse_time("1970-01-01 00:01:00.5"), parse_time("1970-01-01T01:00:00+01:00")
    (60, 0)
    """
    time = datetime.fromisoformat(text)
    return math.floor((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
