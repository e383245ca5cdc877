"""Names under which Flink finds a step's timers in a savepoint, whatever stands before the step."""

from __future__ import annotations

from typing import Any, Final

import apache_beam as beam
from apache_beam.pipeline import AppliedPTransform, ComponentIdMap

# Those that release 0.2.0 gave them, when Beam still counted the steps before each. A new step with
# timers takes its label alone.
KEPT: Final = {
    "DropDuplicates/DropSeen/ParDo(_DropSeen)": (
        "ref_AppliedPTransform_DropDuplicates-DropSeen-ParDo-_DropSeen-_22"
    ),
    "AggregateTrends/TellPanes/ParDo(_TellWindows)": (
        "ref_AppliedPTransform_AggregateTrends-TellWindows_38"
    ),
    "DetectAlerts/KeepLedger": "ref_AppliedPTransform_DetectAlerts-KeepLedger_42",
    "WatchDrift/KeepHour": "ref_AppliedPTransform_WatchDrift-KeepHour",
    "FollowTopics/GatherHours": "ref_AppliedPTransform_FollowTopics-GatherHours",
    "FollowTopics/KeepTopics": "ref_AppliedPTransform_FollowTopics-KeepTopics",
    "RollUp/KeepLengths": "ref_AppliedPTransform_RollUp-KeepLengths",
}


class _KeptIds(ComponentIdMap):
    """Beam's names of the parts of a pipeline, but for the steps above."""

    def get_or_assign(self, obj: Any = None, obj_type: Any = None, label: Any = None) -> str:
        kept = KEPT.get(obj.full_label) if isinstance(obj, AppliedPTransform) else None
        if kept is not None:
            return self._obj_to_id.setdefault(obj, kept)
        return str(super().get_or_assign(obj, obj_type, label))  # type: ignore[no-untyped-call]


def keep_step_ids(pipeline: beam.Pipeline) -> None:
    """Name the steps of `pipeline` that have timers as every release does.

    A timer in a savepoint holds the id of its step, and Beam ends that id with how many steps were
    made before: one more step anywhere before, and no timer finds its receiver.
    """
    pipeline.component_id_map = _KeptIds()  # type: ignore[no-untyped-call]
