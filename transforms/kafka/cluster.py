"""Which Kafka to talk to, and how to prove who is talking."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
Client = Literal["kafka-python", "confluent"]
SECRETS = ("key_password", "password", "token_command")  # a command may hold one


class KafkaSettingsError(ValueError):
    """Kafka cannot be used as configured; the message names the setting and the remedy."""


class KafkaUnreachableError(KafkaSettingsError):
    """No broker answers."""


class Security(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How connections are encrypted and who this client is; by default neither.

    `ca_file`, `cert_file` and `key_file` are PEM files on every machine that reads or writes.
    An OAUTHBEARER token is what `token_command` prints, or what the environment variable
    `token_variable` holds, asked for anew with each connection. Secrets never show in `repr`.

    Raises:
        KafkaSettingsError: the fields do not fit together; the message begins with the field.
    """

    protocol: Protocol = "PLAINTEXT"
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    key_password: str | None = None
    check_hostname: bool = True
    mechanism: Mechanism | None = None
    username: str | None = None
    password: str | None = None
    token_command: str | None = None
    token_variable: str | None = None

    def __post_init__(self) -> None:
        problem = _problem_of_protocol(self) or _problem_of_credentials(self)
        if problem:
            raise KafkaSettingsError(problem)

    def __repr__(self) -> str:
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        shown |= {name: "..." for name in SECRETS if shown[name] is not None}
        return f"Security({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def is_encrypted(self) -> bool:
        """Whether connections use TLS."""
        return self.protocol in ("SSL", "SASL_SSL")

    @property
    def has_login(self) -> bool:
        """Whether connections begin with a SASL exchange."""
        return self.protocol.startswith("SASL")


def _problem_of_protocol(security: Security) -> str | None:
    """What does not fit the protocol."""
    if security.has_login and security.mechanism is None:
        return f"mechanism: missing. {security.protocol} needs one, such as SCRAM-SHA-512"
    if security.mechanism and not security.has_login:
        return (
            f"protocol: {security.protocol} has no login, but `mechanism` names one. "
            "Choose SASL_SSL, or remove `mechanism`"
        )
    files = [name for name in ("ca_file", "cert_file", "key_file") if getattr(security, name)]
    if files and not security.is_encrypted:
        return (
            f"protocol: {security.protocol} has no encryption, but `{files[0]}` is set. "
            "Choose SSL or SASL_SSL, or remove it"
        )
    if security.key_file and not security.cert_file:
        return "cert_file: missing. `key_file` needs the certificate that belongs to it"
    return None


def _problem_of_credentials(security: Security) -> str | None:
    """What the mechanism lacks."""
    if security.mechanism == "OAUTHBEARER":
        if bool(security.token_command) == bool(security.token_variable):
            return (
                "token_command: OAUTHBEARER needs either it, a program that prints the token, "
                "or `token_variable`, the environment variable that holds the token. Set one"
            )
    elif security.mechanism is not None:
        for name in ("username", "password"):
            if not getattr(security, name):
                return f"{name}: missing. {security.mechanism} needs one; use ${{NAME}} for secrets"
    return None


class Cluster(msgspec.Struct, frozen=True):
    """A Kafka cluster as a reader or a writer sees it; it can be a key of a dict and travel."""

    bootstrap_servers: str
    security: Security = Security()
    client: Client = "kafka-python"

    def client_settings(self) -> dict[str, Any]:
        """What every kafka-python client is given first."""
        security = self.security
        settings: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": security.protocol,
        }
        if security.is_encrypted:
            settings |= {
                "ssl_cafile": security.ca_file,
                "ssl_certfile": security.cert_file,
                "ssl_keyfile": security.key_file,
                "ssl_password": security.key_password,
                "ssl_check_hostname": security.check_hostname,
            }
        return settings | self._login_settings()

    def _login_settings(self) -> dict[str, Any]:
        security = self.security
        if not security.has_login:
            return {}
        settings: dict[str, Any] = {"sasl_mechanism": security.mechanism}
        if security.mechanism == "OAUTHBEARER":
            from transforms.kafka.tokens import Tokens  # imports kafka, which settings do not need

            return settings | {"sasl_oauth_token_provider": Tokens(security)}
        return settings | {
            "sasl_plain_username": security.username,
            "sasl_plain_password": security.password,
        }
