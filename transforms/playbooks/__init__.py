"""What to do about an alert: playbooks as data, chosen by the facts of the incident."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

import msgspec

from models.detection.incident import Incident
from schemas.records import AlertKind


class Conditions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an incident must be for a playbook to fit; what is not given is not asked."""

    kinds: tuple[AlertKind, ...] = ()
    emotions: tuple[str, ...] = ()
    terms: frozenset[str] = frozenset()
    min_severity: int = 1
    led_by_images: bool = False

    def fit(self, incident: Incident, terms: Sequence[str]) -> bool:
        """Whether every condition is met."""
        return (
            (not self.kinds or incident.kind in self.kinds)
            and (not self.emotions or incident.emotion in self.emotions)
            and (not self.terms or not self.terms.isdisjoint(terms))
            and incident.severity >= self.min_severity
            and (incident.led_by_images or not self.led_by_images)
        )


class Playbook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who does what about an incident, why, and a first wording to answer with."""

    id: str
    owner: str
    because: str
    actions: tuple[str, ...]
    wording: str = ""
    when: Conditions = Conditions()

    def recommend(self, incident: Incident, brand: str, terms: Sequence[str]) -> str:
        """The recommendation as text, from facts of the incident alone."""
        facts = {
            "brand": brand,
            "terms": ", ".join(terms),
            "posts": str(incident.posts),
            "authors": str(incident.authors),
            "share": f"{incident.share_negative:.0%}",
            "emotion": incident.emotion,
        }
        steps = " ".join(f"{n}. {action}." for n, action in enumerate(self.actions, start=1))
        answer = f" Wording to start from: “{self.wording}”" if self.wording else ""
        text = f"For {self.owner}, because {self.because}: {steps}{answer}"
        return text.format_map(facts)


def choose(playbooks: Sequence[Playbook], incident: Incident, terms: Sequence[str]) -> Playbook:
    """The first playbook that fits; the last one always does."""
    return next(p for p in playbooks if p.when.fit(incident, terms))


@lru_cache(maxsize=1)
def default_playbooks() -> tuple[Playbook, ...]:
    """The playbooks that come with Moodwire."""
    return parse_playbooks(resources.files(__name__).joinpath("default.yaml").read_bytes())


def parse_playbooks(text: bytes) -> tuple[Playbook, ...]:
    """Playbooks from YAML.

    Raises:
        ValueError: they do not fit the form, or the last one has conditions.
    """
    playbooks: tuple[Playbook, ...] = msgspec.yaml.decode(text, type=tuple[Playbook, ...])
    if not playbooks or playbooks[-1].when != Conditions():
        raise ValueError(
            "playbooks: the last one must have `when: {}`, so that every alert finds a playbook"
        )
    return playbooks
