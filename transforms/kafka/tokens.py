"""Access tokens for OAUTHBEARER, asked for with each connection."""

from __future__ import annotations

import os
import shlex
import subprocess

from kafka.net.sasl.oauth import AbstractTokenProvider

from transforms.kafka.cluster import KafkaUnreachableError, Security

COMMAND_SECONDS = 10.0


class Tokens(AbstractTokenProvider):  # type: ignore[misc]  # kafka-python has no types
    """Hands Kafka clients the token that is valid now.

    Kafka asks again before a token runs out (KIP-368), so a program that caches its token may
    answer with the same one until then.
    """

    def __init__(self, security: Security) -> None:
        super().__init__()
        self._security = security

    def token(self) -> str:
        """The token; what went wrong is never told with a word of what the program printed."""
        return read_token(self._security)


def read_token(security: Security) -> str:
    """The token that `token_command` prints or `token_variable` holds.

    Raises:
        KafkaUnreachableError: there is none; the message begins with the field.
    """
    if security.token_variable:
        token = os.environ.get(security.token_variable, "").strip()
        if not token:
            raise KafkaUnreachableError(
                f"token_variable: the environment variable {security.token_variable} holds no "
                "token. Export it where the workers run"
            )
        return token
    return _run(security.token_command or "")


def _run(command: str) -> str:
    try:
        done = subprocess.run(
            shlex.split(command),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        reason = f"ended with code {error.returncode}"
    except subprocess.TimeoutExpired:
        reason = f"took longer than {COMMAND_SECONDS:.0f} s"
    except (OSError, ValueError) as error:
        reason = str(error)
    else:
        if done.stdout.strip():
            return done.stdout.strip()
        reason = "printed nothing"
    program = command.split(maxsplit=1)[0]
    raise KafkaUnreachableError(
        f"token_command: {program} {reason}. It must print the token and end with code 0"
    )
