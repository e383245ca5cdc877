"""Facts about settings: what they accept, and how they refuse."""

from pathlib import Path

import pytest

from pipelines.settings import PageSettings, SettingsError, load_settings, parse_settings

EXAMPLE = Path(__file__).parents[2] / "moodwire.example.yaml"


def test_the_commented_example_loads() -> None:
    settings = load_settings(EXAMPLE)

    assert settings.brands[0].handles == ("aerolume", "aerolume_help")


def test_an_empty_file_gives_every_default() -> None:
    assert parse_settings("").windows.size_seconds == 300


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        ("windows: {size_secs: 3}", "windows.size_secs", "did you mean `size_seconds`"),
        ("windows: {size_seconds: soon}", "windows.size_seconds", "expected `int`"),
        ("windows: {size_seconds: 100}", "windows.size_seconds", "not a multiple"),
        ("windows: {size_seconds: 420}", "windows.rollups_seconds", "each divide the next"),
        (
            "windows: {rollups_seconds: [3600, 5400]}",
            "windows.rollups_seconds",
            "no multiple of 3600",
        ),
        ("windows: {rollups_seconds: [3600, 3600]}", "windows.rollups_seconds", "3600 is no multi"),
        ("windows: {rollups_seconds: [0]}", "windows.rollups_seconds[0]", "expected `int` >= 1"),
        ("windows: {slices: [lang, channel, lang]}", "windows.slices", "'lang' is listed twice"),
        ("brands: [{name: ' '}]", "brands[0].name", "matching regex"),
        ("brands: [{name: Zed, handels: [z]}]", "brands[0].handels", "handles"),
        ("brands: [{name: Zed}, {name: Zed}]", "brands", "merge"),
        ("source: {kafka: {start: noon}}", "source.kafka.start", "noon"),
        ("source: {disorder_seconds: .inf}", "source.disorder_seconds", "<= 31622400"),
        (
            "windows: {allowed_lateness_seconds: 99999999999}",
            "windows.allowed_lateness_seconds",
            "<= 31622400",
        ),
        (
            "alerts: {maintenance: [{from: 2026-11-02T00:00:00Z, to: 2026-11-01T00:00:00Z}]}",
            "alerts.maintenance[0].to",
            "swap",
        ),
        (
            "alerts: {maintenance: [{from: 2026-11-01T00:00:00, to: 2026-11-02T00:00:00Z}]}",
            "alerts.maintenance[0].from",
            "timezone",
        ),
        (
            "alerts: {maintenance: [{brand: Zed, from: 2026-11-01T00:00:00Z, "
            "to: 2026-11-02T00:00:00Z}]}",
            "alerts.maintenance",
            "none of `brands`",
        ),
        (
            "delivery: {alertmanager: {url: ftp://x}}",
            "delivery.alertmanager.url",
            "configuration.md",
        ),
        (
            "delivery: {webhooks: [{name: a, url: https://x, secrets: [whsec_abc]}]}",
            "delivery.webhooks[0].secrets",
            "${NAME}",
        ),
        (
            "delivery: {services: [{name: a, url: 'mailto://me:pw@x'}]}",
            "delivery.services[0].url",
            "${NAME}",
        ),
        ("topics: {most_per_hour: 0}", "topics.most_per_hour", ">= 1"),
        ("topics: {min_share: 1.5}", "topics.min_share", "<= 1"),
        ("topics: {min_posts: 5}", "topics.min_authors", "lower it"),
        ("topics: {gone_hours: 30, remember_days: 1}", "topics.gone_hours", "remember_days"),
        ("topics: {remember_day: 3}", "topics.remember_day", "did you mean `remember_days`"),
        ("privacy: {author_key: short}", "privacy.author_key", "16"),
        ("privacy: {author_key: $MOODWIRE_AUTHOR_KEY}", "privacy.author_key", "${NAME}"),
        ("sinks: {folder: a}\nsinks: {page: {}}", "sinks", "lines 1 and 2"),
        ("brands:\n- name: Zed\n  name: Zod", "brands[0].name", "lines 2 and 3"),
        (
            "brands: [{name: Zed}]\ndelivery: {webhooks: [{name: a, url: https://x, "
            "secrets: ['${SECRET}'], brands: [Zad]}]}",
            "delivery.webhooks[0].brands",
            "none of `brands`",
        ),
        (
            "brands: [{name: Zed}]\ndelivery: {services: [{name: a, url: '${MAIL}', brands: [X]}]}",
            "delivery.services[0].brands",
            "none of `brands`",
        ),
        ("serve: {token: 0123456789abcdef}", "serve.token", "${NAME}"),
        ("title: [", "not YAML", "indentation"),
        ("- a list", "keys", "brands"),
    ],
)
def test_a_bad_setting_is_refused_with_its_key_and_remedy(text: str, key: str, remedy: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        parse_settings(text, env={"SECRET": "whsec_abc", "MAIL": "mailto://x"})

    assert key in str(refusal.value) and remedy in str(refusal.value)


def test_a_merged_key_that_is_written_over_does_not_stand_twice() -> None:
    text = "flink: &usual {parallelism: 4}\nsinks: {page: {<<: &all {port: 1}, port: 2}}"

    assert parse_settings(text).sinks.page == PageSettings(port=2)


def test_a_receiver_may_name_brands_where_the_file_names_none() -> None:
    hook = "{name: a, url: https://x, secrets: ['${SECRET}'], brands: [Zed]}"
    settings = parse_settings(f"delivery: {{webhooks: [{hook}]}}", env={"SECRET": "whsec_abc"})

    assert settings.delivery.webhooks[0].brands == ("Zed",)


def test_a_file_in_another_encoding_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "moodwire.yaml").write_bytes("title: Café".encode("latin-1"))

    with pytest.raises(SettingsError, match=r"moodwire\.yaml.*UTF-8"):
        load_settings(tmp_path / "moodwire.yaml")


def test_a_missing_environment_variable_is_named() -> None:
    with pytest.raises(SettingsError, match=r"privacy\.author_key.*MOODWIRE_KEY"):
        parse_settings('privacy: {author_key: "${MOODWIRE_KEY}"}', env={"A": "b"})


def test_environment_variables_fill_in_secrets() -> None:
    settings = parse_settings(
        'privacy: {author_key: "${MOODWIRE_KEY}"}', env={"MOODWIRE_KEY": "0123456789abcdef"}
    )

    assert settings.privacy.author_key == "0123456789abcdef"


def test_a_missing_file_names_the_file_and_the_remedy() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml.*moodwire\.example\.yaml"):
        load_settings("nowhere.yaml")


@pytest.mark.parametrize("token", ["too-short", "sixteen letters!", "schlüssel-schlüssel"])
def test_a_token_that_is_easy_to_guess_or_no_header_is_refused(token: str) -> None:
    with pytest.raises(SettingsError, match=r"serve\.token") as refusal:
        parse_settings('serve: {token: "${MOODWIRE_TOKEN}"}', env={"MOODWIRE_TOKEN": token})

    assert token not in str(refusal.value)


def test_the_token_shows_in_no_repr() -> None:
    env = {"MOODWIRE_TOKEN": "0123456789abcdef"}
    settings = parse_settings('serve: {token: "${MOODWIRE_TOKEN}"}', env=env)

    assert settings.serve.token == "0123456789abcdef"
    assert "0123456789abcdef" not in repr(settings)
