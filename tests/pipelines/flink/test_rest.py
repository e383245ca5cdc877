import urllib.parse

from pipelines.flink.rest import QUESTION_CHARACTERS, questions

LONG = [
    f'[2]WatchDrift/{{KeepHour__SetGauges}}.moodwire_drift{{statistic="{number}"_measure="psi"}}'
    for number in range(200)
]


def test_no_question_is_longer_than_flink_reads() -> None:
    assert max(map(len, questions(LONG))) < QUESTION_CHARACTERS


def test_every_name_is_asked_for_once() -> None:
    asked = [name for part in questions(LONG) for name in part.split(",")]

    assert [urllib.parse.unquote(name) for name in asked] == LONG


def test_few_names_take_one_question_and_none_takes_none() -> None:
    assert questions(["a", "b"]) == ["a,b"]
    assert questions([]) == []
