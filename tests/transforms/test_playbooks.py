import pytest

from models.detection.incident import Incident
from schemas.records import Exemplar, Signal, Weights
from tests.builders import at
from transforms.alerting import alert_of, choose_evidence
from transforms.playbooks import choose, default_playbooks, parse_playbooks

PLAYBOOKS = default_playbooks()


def an_incident(**changes: object) -> Incident:
    signal = Signal(name="share_negative", value=0.7, expected=0.1, score=9.0)
    incident = Incident(kind="negativity_surge", since=0, opened=300, last_hot=300)
    incident.signals = {"share_negative": signal}
    for name, value in changes.items():
        setattr(incident, name, value)
    return incident


def an_exemplar(post_id: str, valence: float, thumbnail: str | None = None) -> Exemplar:
    return Exemplar(
        channel="x",
        post_id=post_id,
        created_at=at(0),
        text=post_id,
        valence=valence,
        emotion="anger",
        reach=1,
        weights=Weights(0.5, 0.5),
        thumbnail=thumbnail,
    )


@pytest.mark.parametrize(
    ("changes", "terms", "playbook"),
    [
        ({}, ["smoke"], "product-safety"),
        ({"kind": "crisis", "led_by_images": True}, [], "image-led-crisis"),
        ({"emotion": "anger", "severity": 8}, [], "outrage"),
        ({"emotion": "anger", "severity": 3}, [], "negative-turn"),
        ({"emotion": "sadness"}, [], "service-recovery"),
        ({"kind": "volume_spike"}, ["smoke"], "sudden-attention"),
        ({"kind": "viral_post"}, [], "viral-post"),
        ({"kind": "coordinated_campaign"}, [], "coordinated-campaign"),
        ({"kind": "emotion_shift", "emotion": "fear"}, [], "rising-distress"),
        ({"kind": "emotion_shift", "emotion": "anger"}, [], "rising-anger"),
        ({"kind": "emotion_shift", "emotion": "joy"}, [], "emotion-shift"),
        ({"kind": "sustained_decline"}, [], "sustained-decline"),
        ({"kind": "recovery"}, [], "mood-is-back"),
        ({"kind": "feed_silent"}, [], "feed-silent"),
    ],
)
def test_the_facts_choose_the_playbook(
    changes: dict[str, object], terms: list[str], playbook: str
) -> None:
    assert choose(PLAYBOOKS, an_incident(**changes), terms).id == playbook


def test_every_playbook_says_who_why_and_what() -> None:
    for playbook in PLAYBOOKS:
        text = playbook.recommend(an_incident(share_negative=0.7), "Nova", ["smoke"])

        assert playbook.owner in text and "because" in text and "1. " in text
        assert "{" not in text


def test_the_last_playbook_must_always_fit() -> None:
    only = b"[{id: a, owner: b, because: c, actions: [d], when: {kinds: [crisis]}}]"

    with pytest.raises(ValueError, match="the last one must have"):
        parse_playbooks(only)


def test_an_unknown_condition_is_refused() -> None:
    unknown = b"[{id: a, owner: b, because: c, actions: [d], when: {moon: full}}]"

    with pytest.raises(ValueError, match="moon"):
        parse_playbooks(unknown)


def test_an_alert_says_what_was_seen_and_what_is_usual() -> None:
    alert = alert_of(an_incident(severity=4), "Nova", PLAYBOOKS, updated=600)

    assert alert.title == "Nova: 70% negative where 10% is usual"
    assert (alert.status, alert.resolved_at, alert.final) == ("firing", None, False)
    assert alert.updated_at.timestamp() == 600


def test_what_outgrew_its_kind_says_so() -> None:
    alert = alert_of(an_incident(grew_into="crisis", closed=600), "Nova", PLAYBOOKS)

    assert alert.title.endswith("; grew into a crisis")
    assert alert.status == "resolved"


def test_the_brand_itself_is_no_cause() -> None:
    incident = an_incident(terms={"nova": 20, "#nova": 9, "smoke": 8}, usual_terms={"nova": 90})

    assert alert_of(incident, "Nova", PLAYBOOKS).cause_terms == ("smoke",)


def test_images_are_most_of_the_evidence_where_they_lead_and_some_of_it_elsewhere() -> None:
    worst = [an_exemplar(f"t{n}", -0.9 + n / 100) for n in range(5)]
    pictures = [an_exemplar(f"i{n}", -0.5 + n / 100, f"{n}" * 64) for n in range(5)]
    led = choose_evidence(an_incident(worst=worst, pictured=pictures, led_by_images=True))
    other = choose_evidence(an_incident(worst=worst, pictured=pictures))

    assert [p.post_id for p in led] == ["t0", "t1", "i0", "i1", "i2"]
    assert [p.post_id for p in other] == ["t0", "t1", "t2", "i0", "i1"]


def test_happy_pictures_are_no_evidence_where_words_lead() -> None:
    worst = [an_exemplar(f"t{n}", -0.9 + n / 100) for n in range(5)]
    pictures = [an_exemplar(f"i{n}", 0.5, f"{n}" * 64) for n in range(5)]

    chosen = choose_evidence(an_incident(worst=worst, pictured=pictures))

    assert [p.post_id for p in chosen] == ["t0", "t1", "t2", "t3", "t4"]
