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
    """A suite of expectations, loaded once and held against batch after batch.

    A batch is first only counted: how many rows fail each expectation, by the metrics that the
    expectations themselves name, whose graph is built once. Great Expectations' own validation
    builds it anew for each batch, which takes most of its 50 ms; it judges the batches in which
    a row fails.

    Raises:
        ValueError: the suite holds an expectation that is not about single rows.
    """

    def __init__(self, suite: Path = SUITE) -> None:
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        import great_expectations as gx  # two seconds, for workers that validate

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
        asset = context.data_sources.add_pandas("posts").add_dataframe_asset("posts")
        self._batches = asset.add_batch_definition_whole_dataframe("micro-batch")
        self.suite = gx.ExpectationSuite(**json.loads(suite.read_text(encoding="utf-8")))
        self._counts = [_count_of_failing_rows(e) for e in self.suite.expectations]
        graph = _graph_over(pd.DataFrame())
        for count in self._counts:
            graph.build_metric_dependency_graph(count)
        self._edges = graph.edges

    def failures(self, posts: Sequence[Post]) -> dict[int, list[str]]:
        """The causes for which posts fail, by index in `posts`, in the order of the suite.

        Asks for a verdict first, and only of what failed for the rows.

        Raises:
            RuntimeError: an expectation could not be evaluated, so the suite is wrong.
        """
        if not posts:
            return {}
        frame = to_frame(posts)
        with _ONE_AT_A_TIME:
            if self._none_fails(frame):
                return {}
            batch = self._batches.get_batch({"dataframe": frame})
            verdict = batch.validate(self.suite, result_format=BOOLEAN)
            failed = {_cause(r.expectation_config) for r in verdict.results if not r.success}
            found: dict[int, list[str]] = {}
            for expectation in self.suite.expectations:
                if (cause := _cause(expectation.configuration)) in failed:
                    for row in _rows(batch.validate(expectation, result_format=INDEXED), cause):
                        found.setdefault(row, []).append(cause)
        return found

    def _none_fails(self, frame: pd.DataFrame) -> bool:
        """Whether every expectation could be evaluated, and holds for each row."""
        found, aborted = _graph_over(frame, self._edges).resolve(show_progress_bars=False)
        return not aborted and not any(found[count.id] for count in self._counts)

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


def _graph_over(frame: pd.DataFrame, edges: Sequence[Any] = ()) -> Any:
    """A graph of metrics that are read off `frame`."""
    from great_expectations.execution_engine.pandas_execution_engine import (
        PandasExecutionEngine,
    )
    from great_expectations.validator.validation_graph import ValidationGraph

    engine = PandasExecutionEngine(batch_data_dict={"micro-batch": frame})
    return ValidationGraph(engine, list(edges))


def _count_of_failing_rows(expectation: Any) -> Any:
    """The metric that counts the rows for which an expectation does not hold.

    Raises:
        ValueError: it has none.
    """
    name = getattr(expectation, "map_metric", None)
    if name is None:
        raise ValueError(
            f"{expectation.configuration.type}: is not about single rows, so no post could be "
            "refused by it; use one such as expect_column_values_to_be_between"
        )
    needed = expectation.get_validation_dependencies()
    return needed.get_metric_configuration(f"{name}.unexpected_count")


def _cause(configuration: Any) -> str:
    """The name of a failed check in dead letters and metrics: expectation and column."""
    return f"{configuration.type}:{configuration.kwargs['column']}"


def _rows(result: Any, cause: str) -> list[int]:
    if result.exception_info.get("raised_exception", True):
        raise RuntimeError(f"{SUITE.name}: {cause} cannot be evaluated: {result.exception_info}")
    return [int(found["row"]) for found in result.result["unexpected_index_list"]]
