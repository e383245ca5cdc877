"""One run: a stream is played, a fault strikes, and what came out is held against the reference."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.end_to_end.chaos import compare, reference
from tests.end_to_end.chaos.configured import live_settings
from tests.end_to_end.chaos.faults import FAULTS, Fault, Live
from tests.end_to_end.chaos.launcher import Launcher, RunLostError
from tests.end_to_end.chaos.outputs import Outputs, create_run_topics, read_topic
from tests.end_to_end.chaos.player import Player
from tests.end_to_end.chaos.stack import Stack
from tests.end_to_end.chaos.stream import POSTS, digest, is_closing, recorded

RATE = 12.0  # posts a second
EARLIEST, LATEST = 0.25, 0.7  # of the stream, when the fault strikes
FLYING_SECONDS = 0.5  # of posts behind the checkpoint that the strike waits for
# Without any output for so long what is missing is lost; the first where the posts that end the
# stream have come out already.
CLOSED_SECONDS, QUIET_SECONDS = 60.0, 120.0
WARM_SECONDS = 300.0
LAST_SECONDS = 600.0
SETTLE_SECONDS = 4.0
KEPT = ("readings", "rejections")
Result = dict[str, Any]


@dataclass(frozen=True)
class Chaos:
    """How runs are made.

    Attributes:
        home: where each run leaves its settings, its launcher's log and its result.
        posts: length of the stream.
    """

    stack: Stack
    home: Path
    posts: int = POSTS
    tell: Callable[[str], None] = lambda words: None

    def run(self, name: str, number: int) -> Result:
        """One run of a fault; a run that cannot be judged is a result too, with its error."""
        fault, seed = FAULTS[name], f"{name}-{number}"
        run_name = f"{name}-{number}-{int(time.time()) % 100_000}"
        result: Result = {"fault": name, "run": number, "seed": seed}
        started = time.monotonic()
        try:
            self.stack.mend()
            self.stack.plant(fault.is_planted)
            result |= self._run(fault, run_name, random.Random(seed))
        except Exception as error:  # a run without a verdict is a result, and the next one goes on
            result["error"] = f"{type(error).__name__}: {error}"
        finally:
            for broker in tuple(self.stack.extra):
                self.stack.drop(broker)
        result["seconds"] = round(time.monotonic() - started, 1)
        result["when"] = datetime.now(UTC).isoformat(timespec="seconds")
        return result

    def _run(self, fault: Fault, name: str, chance: random.Random) -> Result:
        stream, folder = recorded(fault.form, self.posts), self.home / "runs" / name
        cached = self.home / "references"
        known = reference.of_stream(self.stack.broker.bootstrap_servers, stream, cached)
        live = self._prepare(fault, folder, name, chance)
        servers, topic = live.source.bootstrap_servers, f"{name}-posts"
        outputs = Outputs(live.sink.bootstrap_servers, f"{name}-")
        player = Player(servers, topic, stream, RATE)
        try:
            self.tell("starting the job")
            live.launcher.start()
            player.start()
            self._warm_up(live, outputs)
            strike = self._strike(fault, live, player, chance)
            self.tell("waiting for the stream's end")
            live.launcher.until(player.done.is_set, "the stream was not played", LAST_SECONDS)
            if player.error is not None:
                raise RunLostError(f"producer: {player.error!r}")
            played_at = time.time()
            records = read_topic(servers, topic)
            wanted, whose = known[1], "shared"
            if digest(records) != known[0] or (fault.strike is None and fault.form == "plain"):
                self.tell("making a reference of its own")
                wanted = reference.of_topic(servers, topic, folder / "reference", records)
                whose = "own"
            self.tell("waiting for the last outputs")
            self._await(outputs, wanted)
            jobs, follows = live.launcher.job_ids(), live.launcher.is_alive
        finally:
            outputs.close()
            live.launcher.end()
            shutil.copy(live.sink.log, folder / "broker.log")
        result = judge(outputs, wanted, len(records))
        result |= {
            "strike": strike,
            "reference": whose,
            "jobs": len(jobs),
            "launcher_follows": follows,
        }
        result["last_output_after_stream"] = round(max(outputs.times, default=0) - played_at, 1)
        (folder / "result.json").write_text(json.dumps(result, indent=1))
        return result

    def _prepare(self, fault: Fault, folder: Path, name: str, chance: random.Random) -> Live:
        source = sink = self.stack.broker
        if fault.sink != "same":
            sink = self.stack.second_broker("second", on_small_disk=fault.sink == "small")
        if fault.sink == "small":
            source = sink
        for servers in {source.bootstrap_servers, sink.bootstrap_servers}:
            create_run_topics(servers, f"{name}-")
        settings = live_settings(
            self.stack, folder, name, is_local=fault.is_local, source=source, sink=sink
        )
        rest = self.stack.cluster.rest
        if fault.is_local:
            rest = f"127.0.0.1:{self.stack.local_rest}"
        return Live(self.stack, Launcher(settings, name, rest), source, sink, chance)

    def _warm_up(self, live: Live, outputs: Outputs) -> None:
        """Return once Readings come out and a checkpoint has been made after that."""
        self.tell("waiting for the first Reading")
        launcher = live.launcher
        launcher.until(
            lambda: bool(outputs.poll() and outputs.written["readings"]), "no Reading", WARM_SECONDS
        )
        self._await_checkpoint(launcher, time.time())

    def _await_checkpoint(self, launcher: Launcher, since: float) -> None:
        launcher.until(
            lambda: (found := launcher.checkpoint()) is not None and found.completed_at > since,
            "no checkpoint",
            WARM_SECONDS,
        )

    def _strike(self, fault: Fault, live: Live, player: Player, chance: random.Random) -> Result:
        """Play up to the moment, and do it: behind a checkpoint, with posts that none holds yet."""
        share = chance.uniform(EARLIEST, LATEST)
        begun = time.time()
        if fault.strike is not None:
            player.pause_at = share
        player.released.set()
        if fault.strike is None:
            return {}
        self._await_share(live, player, share)
        self._await_checkpoint(live.launcher, begun)
        player.resumed.set()
        flying = FLYING_SECONDS * RATE / len(player.stream.records)
        self._await_share(live, player, player.share + flying)
        struck = player.share
        self.tell(f"striking at {struck:.0%} of the stream")
        at = time.time()
        fault.strike(live)
        return {"share": round(struck, 2), "seconds": round(time.time() - at, 1)}

    def _await_share(self, live: Live, player: Player, share: float) -> None:
        def has_come() -> bool:
            if player.error is not None:
                raise RunLostError(f"producer: {player.error!r}")
            return player.share >= share

        live.launcher.until(has_come, "the moment did not come", LAST_SECONDS)

    def _await(self, outputs: Outputs, wanted: compare.Kinds) -> None:
        """Return once all is there, or nothing has come for long."""
        changed, end = time.monotonic(), time.monotonic() + LAST_SECONDS
        while time.monotonic() < min(end, changed + self._patience(outputs, wanted)):
            if outputs.poll():
                changed = time.monotonic()
            if compare.is_complete(outputs.written, wanted):
                break
            time.sleep(1)
        settled = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < settled:
            outputs.poll()

    def _patience(self, outputs: Outputs, wanted: compare.Kinds) -> float:
        last = {key for key in compare.final_records(wanted["readings"]) if is_closing(key[1])}
        is_over = last <= compare.final_records(outputs.written["readings"]).keys()
        return CLOSED_SECONDS if is_over else QUIET_SECONDS


def judge(outputs: Outputs, wanted: compare.Kinds, posts_in: int) -> Result:
    """The figures of a run."""
    found = outputs.written
    differences = {kind: compare.difference(found, wanted, kind) for kind in wanted}
    readings = compare.final_records(found["readings"])
    return {
        "posts_in": posts_in,
        "readings_out": len(readings),
        "dead_letters": len(compare.final_records(found["rejections"])),
        "redelivered": posts_in - sum(len(compare.final_records(wanted[k])) for k in KEPT),
        "lost": differences["readings"]["missing"],
        "extra": differences["readings"]["extra"],
        "differing": differences["readings"]["differing"],
        "duplicates": compare.duplicates(found),
        "final_trends": len(compare.final_records(found["trends"])),
        "final_alerts": len(compare.final_records(found["alerts"])),
        "trend_differences": differences["trends"],
        "rollup_differences": differences["rollups"],
        "alert_differences": differences["alerts"],
        "dead_letter_differences": differences["rejections"],
        "reading_differences": differences["readings"],
        "recovery_seconds": round(compare.longest_gap(outputs.times), 1),
    }


def is_exact(result: Result) -> bool:
    """Whether nothing was lost, counted twice or came out otherwise."""
    if "error" in result:
        return False
    counts = [result["lost"], result["extra"], result["differing"]]
    counts.append(result["duplicates"]["differing_final"])
    for kind in ("trend", "rollup", "alert", "dead_letter"):
        found = result[f"{kind}_differences"]
        counts += [found["missing"], found["extra"], found["differing"]]
    return not any(counts)


def is_as_expected(result: Result) -> bool:
    """Exact, or where a bug was planted: found out."""
    if FAULTS[result["fault"]].is_planted:
        return "error" not in result and result["lost"] > 0
    return is_exact(result)
