"""Great Expectations over batches of posts; the suite itself is data in schemas/suites."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import pandas as pd

import schemas
from schemas.records import Post

SUITE: Final = Path(schemas.__file__).parent / "suites" / "posts.json"
BOOLEAN: Final = "BOOLEAN_ONLY"
INDEXED: Final = {"result_format": "COMPLETE", "unexpected_index_column_names": ["row"]}
_CHECKED: Final = ("channel", "post_id", "author", "text", "lang", "country", "reach", "cluster_id")
_ONE_AT_A_TIME: Final = Lock()  # Great Expectations keeps one project for the whole process


class PostExpectations:
    """A suite of expectations, loaded once and held against batch after batch."""

    def __init__(self, suite: Path = SUITE) -> None:
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        import great_expectations as gx  # two seconds, for workers that validate

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
        asset = context.data_sources.add_pandas("posts").add_dataframe_asset("posts")
        self._batches = asset.add_batch_definition_whole_dataframe("micro-batch")
        self.suite = gx.ExpectationSuite(**json.loads(suite.read_text(encoding="utf-8")))

    def failures(self, posts: Sequence[Post]) -> dict[int, list[str]]:
        """The causes for which posts fail, by index in `posts`, in the order of the suite.

        Asks for a verdict first, and only of what failed for the rows.

        Raises:
            RuntimeError: an expectation could not be evaluated, so the suite is wrong.
        """
        if not posts:
            return {}
        with _ONE_AT_A_TIME:
            batch = self._batches.get_batch({"dataframe": to_frame(posts)})
            verdict = batch.validate(self.suite, result_format=BOOLEAN)
            failed = {_cause(r.expectation_config) for r in verdict.results if not r.success}
            found: dict[int, list[str]] = {}
            for expectation in self.suite.expectations:
                if (cause := _cause(expectation.configuration)) in failed:
                    for row in _rows(batch.validate(expectation, result_format=INDEXED), cause):
                        found.setdefault(row, []).append(cause)
        return found

    def report(self, posts: Sequence[Post]) -> str:
        """The validation of `posts` as a page of Data Docs, HTML."""
        from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
        from great_expectations.render.view.view import DefaultJinjaPageView

        with _ONE_AT_A_TIME:
            batch = self._batches.get_batch({"dataframe": to_frame(posts)})
            result = batch.validate(self.suite, result_format="COMPLETE")
            page = ValidationResultsPageRenderer().render(result)
            return str(DefaultJinjaPageView().render(page))  # type: ignore[no-untyped-call]


@cache
def load_expectations(suite: Path = SUITE) -> PostExpectations:
    """The expectations in the file `suite`, loaded once per process."""
    return PostExpectations(suite)


def build_report(posts: Sequence[Post], path: Path) -> None:
    """Write the report on a sample of posts as one HTML page, for people to judge the suite by."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(load_expectations().report(posts), encoding="utf-8")


def to_frame(posts: Iterable[Post]) -> pd.DataFrame:
    """One row a post, with the columns that expectations may name; `row` is its index."""
    return pd.DataFrame(_row(index, post) for index, post in enumerate(posts))


def _row(row: int, post: Post) -> dict[str, Any]:
    fields = {name: getattr(post, name) for name in _CHECKED}
    return fields | {
        "row": row,
        "created_at_seconds": post.created_at.timestamp(),
        "content_length": len(post.text) + len(post.images),
        "image_count": len(post.images),
    }


def _cause(configuration: Any) -> str:
    """The name of a failed check in dead letters and metrics: expectation and column."""
    return f"{configuration.type}:{configuration.kwargs['column']}"


def _rows(result: Any, cause: str) -> list[int]:
    if result.exception_info.get("raised_exception", True):
        raise RuntimeError(f"{SUITE.name}: {cause} cannot be evaluated: {result.exception_info}")
    return [int(found["row"]) for found in result.result["unexpected_index_list"]]
