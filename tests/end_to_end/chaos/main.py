"""Every fault, several times: `make chaos`. Goes on where it was stopped."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path

from deploy.processes import REPOSITORY
from tests.end_to_end.chaos.faults import FAULTS
from tests.end_to_end.chaos.run import Chaos, Result, is_as_expected, is_exact
from tests.end_to_end.chaos.stack import running
from tests.end_to_end.chaos.table import write_table

HOME = REPOSITORY / ".run" / "chaos"
RESULTS = REPOSITORY / "benchmarks" / "results" / "faults.jsonl"
GUESS_SECONDS = 150.0  # of a run, before there are any to go by


def main(arguments: list[str] | None = None) -> int:
    """Make the runs that are missing, or write the table of those that were made."""
    parser = argparse.ArgumentParser(prog="python -m tests.end_to_end.chaos.main")
    parser.add_argument("action", nargs="?", choices=("run", "table"), default="run")
    parser.add_argument("--faults", default=",".join(FAULTS), help="names with commas between")
    parser.add_argument("--runs", type=int, default=3, help="of each fault")
    parser.add_argument("--again", action="store_true", help="also those that were made before")
    parser.add_argument("--home", type=Path, default=HOME, help="for stacks, logs and settings")
    parser.add_argument("--results", type=Path, default=RESULTS, help="a line for each run")
    options = parser.parse_args(arguments)
    results = options.results
    if options.action == "table":
        write_table(read_results(results))
        return 0
    names = options.faults.split(",")
    if unknown := set(names) - FAULTS.keys():
        parser.error(f"no fault {min(unknown)}; there are {', '.join(FAULTS)}")
    made = set() if options.again else made_before(results)
    wanted = [(name, n) for n in range(1, options.runs + 1) for name in names]
    return run_all([one for one in wanted if one not in made], options.home, results)


def run_all(wanted: list[tuple[str, int]], home: Path, results: Path) -> int:
    """Make runs, one after the other on one stack; 1 where one was not exact."""
    if not wanted:
        _say("every run was made before (--again makes them again)")
        return 0
    home.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is ended
    bad = 0
    started = time.monotonic()
    with running(home / "stack") as stack:
        for number, (name, run) in enumerate(wanted):
            spent = time.monotonic() - started
            each = spent / number if number else GUESS_SECONDS
            left = each * (len(wanted) - number) / 60
            where = f"{number + 1}/{len(wanted)} {name} run {run}, about {left:.0f} min left"
            _say(where)
            result = Chaos(stack, home, tell=lambda words: _say(f"  {words}")).run(name, run)
            bad += not is_as_expected(result)
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
            _say(f"  {summary(result)}")
    return 1 if bad else 0


def made_before(results: Path) -> set[tuple[str, int]]:
    """The runs that came to a verdict."""
    return {(r["fault"], r["run"]) for r in read_results(results) if "error" not in r}


def read_results(path: Path) -> list[Result]:
    """The newest run of each fault and number."""
    if not path.exists():
        return []
    newest: dict[tuple[str, int], Result] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        result = json.loads(line)
        newest[result["fault"], result["run"]] = result
    return list(newest.values())


def summary(result: Result) -> str:
    """A run in one line."""
    if "error" in result:
        return f"NO VERDICT: {result['error'][:300]}"
    verdict = "exact" if is_exact(result) else "NOT EXACT"
    keys = ("posts_in", "readings_out", "dead_letters", "lost", "extra", "differing")
    figures = ", ".join(f"{key} {result[key]}" for key in keys)
    trends = {k: result["trend_differences"][k] for k in ("missing", "extra", "differing")}
    letters = {k: result["dead_letter_differences"][k] for k in ("missing", "extra", "differing")}
    return (
        f"{verdict}: {figures}, trends {result['final_trends']} {trends}, dead letters {letters}, "
        f"duplicates {result['duplicates']}, gap {result['recovery_seconds']} s, "
        f"{result['seconds']:.0f} s in all"
    )


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
