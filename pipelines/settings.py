"""The one place where `moodwire.yaml` becomes typed, frozen settings."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml

from pipelines.alert_settings import AlertSettings
from pipelines.delivery.settings import DeliverySettings
from pipelines.digest.settings import DigestSettings
from pipelines.flink.settings import FlinkSettings
from pipelines.plain_secrets import find_plain_secrets
from pipelines.repeated_keys import find_repeated_keys
from pipelines.strict import A_YEAR, Count, Port, Seconds, Strict
from pipelines.topic_settings import TopicSettings
from transforms.kafka.cluster import Client, Cluster, Security
from transforms.kafka.starts import parse_start, parse_stop

_ENV = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>[^`]+)`(?: - at `(?P<at>[^`]+)`)?")
_FIELD = re.compile(r"(?P<name>[a-z_]+): ")  # of a group whose fields do not fit together
_AT = re.compile(r" - at `\$?\.?(?P<path>[^`]*)`")


class SettingsError(ValueError):
    """The configuration cannot be used; the message names the key and the remedy."""


class BrandSettings(Strict, frozen=True, kw_only=True):
    """One watched brand and everything that names it, or only seems to."""

    name: Annotated[str, msgspec.Meta(pattern=r"\S")]
    aliases: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()


class KafkaSource(Strict, frozen=True, kw_only=True):
    """A Kafka topic of posts."""

    bootstrap_servers: str = "127.0.0.1:9092"
    security: Security = Security()
    client: Client = "kafka-python"
    topics: tuple[str, ...] = ("posts",)
    topic_pattern: str | None = None
    group_id: str = "moodwire"
    start: Any = "committed"
    stop: Any = None
    idle_seconds: Seconds = 10
    discover_seconds: Seconds = 30

    def __post_init__(self) -> None:
        parse_start(self.start, "start")
        parse_stop(self.stop, "stop")

    @property
    def cluster(self) -> Cluster:
        """The cluster that posts come from."""
        return Cluster(self.bootstrap_servers, self.security, self.client)


class SourceSettings(Strict, frozen=True, kw_only=True):
    """Where posts come from: JSON-lines files, or Kafka when `kafka` is given."""

    path: str | None = None
    channel: str | None = None
    speed: Annotated[float, msgspec.Meta(gt=0)] | None = None
    disorder_seconds: Seconds = 60
    kafka: KafkaSource | None = None


class PrivacySettings(Strict, frozen=True, kw_only=True):
    """The secret that turns author ids into pseudonyms."""

    author_key: Annotated[str, msgspec.Meta(min_length=16)] | None = None

    def __post_init__(self) -> None:
        if self.author_key is not None and self.author_key.startswith("$"):
            raise ValueError("author_key: `$NAME` would itself be the secret; write ${NAME}")


class WindowSettings(Strict, frozen=True, kw_only=True):
    """Sliding event-time windows of the trends."""

    size_seconds: Annotated[int, msgspec.Meta(ge=1)] = 300
    period_seconds: Annotated[int, msgspec.Meta(ge=1)] = 60
    allowed_lateness_seconds: Annotated[int, msgspec.Meta(ge=0, le=A_YEAR)] = 3600
    early_posts: Count = 50
    slices: tuple[Literal["channel", "lang", "country"], ...] = ("channel", "lang", "country")
    rollups_seconds: tuple[Count, ...] = (3600, 86400)

    def __post_init__(self) -> None:
        if self.size_seconds % self.period_seconds:
            raise ValueError(
                f"size_seconds: {self.size_seconds} is not a multiple of windows.period_seconds "
                f"({self.period_seconds}); choose e.g. 300 and 60"
            )
        if twice := [name for name in self.slices if self.slices.count(name) > 1]:
            raise ValueError(f"slices: {twice[0]!r} is listed twice, its posts would count twice")
        for shorter, longer in pairwise((self.size_seconds, *self.rollups_seconds)):
            if longer % shorter or longer == shorter:
                raise ValueError(
                    f"rollups_seconds: {longer} is no multiple of {shorter}, of which it is made; "
                    "choose windows.size_seconds and lengths that each divide the next, such as "
                    "300 and [3600, 86400], or [] for none"
                )


class ModelSettings(Strict, frozen=True, kw_only=True):
    """The checkpoint that reads posts, the shipped one unless given, and one to compare with."""

    checkpoint: str | None = None
    threads: Count | None = None
    engine: Literal["auto", "onnx", "torch"] = "auto"
    precision: Literal["auto", "fp32", "int8"] = "auto"
    refresh_seconds: Seconds = 10
    shadow: str | None = None
    shadow_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.1


class KafkaSink(Strict, frozen=True, kw_only=True):
    """Kafka topics that the records are published to."""

    bootstrap_servers: str = "127.0.0.1:9092"
    security: Security = Security()
    topic_prefix: str = ""
    transactions: bool = False

    @property
    def cluster(self) -> Cluster:
        """The cluster that records are published to."""
        return Cluster(self.bootstrap_servers, self.security)


class PageSettings(Strict, frozen=True, kw_only=True):
    """The live page and /metrics."""

    host: str = "127.0.0.1"
    port: Port = 8642


class SinkSettings(Strict, frozen=True, kw_only=True):
    """Where results go. The run folder is always written, since the live page follows it."""

    folder: str = "out"
    kafka: KafkaSink | None = None
    page: PageSettings | None = None


class ServeSettings(Strict, frozen=True, kw_only=True):
    """What the live page allows: without a token it only shows."""

    token: Annotated[str, msgspec.Meta(min_length=16, pattern=r"^[!-~]+$")] | None = None
    search: bool = True

    def __repr__(self) -> str:
        token = None if self.token is None else "..."
        return f"ServeSettings(token={token!r}, search={self.search})"


class Settings(Strict, frozen=True, kw_only=True):
    """Everything a run needs to know, read once and never changed."""

    title: str = "Moodwire"
    brands: tuple[BrandSettings, ...] = ()
    source: SourceSettings = SourceSettings()
    privacy: PrivacySettings = PrivacySettings()
    windows: WindowSettings = WindowSettings()
    alerts: AlertSettings = AlertSettings()
    topics: TopicSettings = TopicSettings()
    model: ModelSettings = ModelSettings()
    sinks: SinkSettings = SinkSettings()
    delivery: DeliverySettings = DeliverySettings()
    digest: DigestSettings | None = None
    serve: ServeSettings = ServeSettings()
    flink: FlinkSettings = FlinkSettings()


def expand_env(value: Any, env: Mapping[str, str], at: str = "") -> Any:
    """`value` with every `${NAME}` and `${NAME:-default}` in its strings replaced from `env`."""
    if isinstance(value, dict):
        return {k: expand_env(v, env, f"{at}.{k}".lstrip(".")) for k, v in value.items()}
    if isinstance(value, list):
        return [expand_env(v, env, f"{at}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, str):
        return _ENV.sub(lambda match: _env_value(match, env, at), value)
    return value


def _env_value(match: re.Match[str], env: Mapping[str, str], at: str) -> str:
    name, default = match.group(1), match.group(2)
    found = env.get(name, default)
    if found is None:
        raise SettingsError(
            f"{at}: environment variable {name} is not set. Export it, or write "
            f"${{{name}:-default}} in the settings file"
        )
    return found


def parse_settings(text: str, env: Mapping[str, str] | None = None) -> Settings:
    """Settings from YAML text.

    Raises:
        SettingsError: the text is not YAML or a key is unknown, of a wrong type or out of range.
    """
    try:
        raw = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SettingsError(f"not YAML: {error}. Check indentation and quotes there") from error
    if not isinstance(raw, dict):
        raise SettingsError("the settings file must hold keys such as `brands:` and `source:`")
    for problem in find_repeated_keys(text):
        raise SettingsError(problem)
    for key in find_plain_secrets(raw):
        raise SettingsError(
            f"{key}: holds a secret in plain text; put it into the environment and write "
            "${NAME} here"
        )
    try:
        settings = msgspec.convert(expand_env(raw, os.environ if env is None else env), Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(_explain(str(error))) from error
    return _checked(settings)


def load_settings(path: str | Path) -> Settings:
    """Settings from a YAML file; every error names the file, the key and the remedy."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: {error}. Save the file as UTF-8") from error
    except OSError as error:
        raise SettingsError(
            f"{path}: {error.strerror}. Copy moodwire.example.yaml there and edit it"
        ) from error
    try:
        return parse_settings(text)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def _explain(message: str) -> str:
    """A validation message that leads with the key and ends with the remedy."""
    unknown = _UNKNOWN.match(message)
    if unknown:
        at = (unknown["at"] or "$").removeprefix("$").lstrip(".")
        key = f"{at}.{unknown['field']}".lstrip(".")
        close = difflib.get_close_matches(unknown["field"], _known_keys(), n=1)
        hint = f"did you mean `{close[0]}`?" if close else "remove it"
        return f"{key}: unknown key, {hint} (docs/configuration.md lists them all)"
    at_match = _AT.search(message)
    key = at_match["path"] if at_match else "settings"
    problem = _AT.sub("", message)
    if field := _FIELD.match(problem):
        key, problem = f"{key}.{field['name']}", problem[field.end() :]
    return f"{key}: {problem[0].lower()}{problem[1:]}. See docs/configuration.md for what it takes"


def _known_keys() -> list[str]:
    groups: list[type[msgspec.Struct]] = [*_below(Strict), Security]
    return sorted({f.encode_name for group in groups for f in msgspec.structs.fields(group)})


def _below(kind: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    found = kind.__subclasses__()
    return [*found, *(lower for upper in found for lower in _below(upper))]


def _checked(settings: Settings) -> Settings:
    names = [brand.name for brand in settings.brands]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(f"brands: {twice[0]!r} is listed twice; merge the two entries")
    unknown = {m.brand for m in settings.alerts.maintenance} - {None, *names}
    if unknown:
        raise SettingsError(
            f"alerts.maintenance: brand {min(map(str, unknown))!r} is none of `brands`; "
            "name one of them, or leave `brand` out for all"
        )
    delivery = settings.delivery
    for problem in delivery.problems(names):
        raise SettingsError(problem)
    if settings.digest is not None:
        receivers = [receiver.name for receiver in (*delivery.webhooks, *delivery.services)]
        for problem in settings.digest.problems(names, receivers, settings.windows.size_seconds):
            raise SettingsError(problem)
    return settings
