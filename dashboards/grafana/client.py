"""The one place that knows the package `grafana-api`, whose upstream sleeps."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from grafana_api.grafana_api import (
    GrafanaClientError,
    GrafanaException,
    GrafanaUnauthorizedError,
)
from grafana_api.grafana_face import GrafanaFace

from dashboards.grafana.errors import GrafanaError

NOT_FOUND = 404


class Grafana:
    """What provisioning asks of a Grafana, by its HTTP API.

    Every question raises GrafanaError when nobody answers or Grafana refuses.

    Args:
        url: where it is, with the path it is served under.
        token: of a service account, or
        user, password: of a person.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        user: str | None = None,
        password: str | None = None,
    ) -> None:
        parts = urlsplit(url)
        path = parts.path.strip("/")
        self.url = url.rstrip("/")
        self._face = GrafanaFace(
            auth=token or (user or "", password or ""),
            protocol=parts.scheme,
            host=parts.hostname or "",
            port=parts.port,
            url_path_prefix=f"{path}/" if path else "",
        )

    def data_source(self, name: str) -> dict[str, Any] | None:
        """The data source of that name."""
        return self._find(self._face.datasource.get_datasource_by_name, name)

    def put_data_source(self, source: dict[str, Any], known: dict[str, Any] | None) -> None:
        """Make it, or change the `known` one."""
        if known is None:
            self._ask(self._face.datasource.create_datasource, source)
        else:
            self._ask(self._face.datasource.update_datasource, known["id"], source)

    def folder(self, uid: str) -> dict[str, Any] | None:
        """The folder of that uid."""
        return self._find(self._face.folder.get_folder, uid)

    def make_folder(self, title: str, uid: str) -> None:
        """A new folder."""
        self._ask(self._face.folder.create_folder, title, uid)

    def board(self, uid: str) -> dict[str, Any] | None:
        """The dashboard of that uid, as `{"dashboard": …, "meta": …}`."""
        return self._find(self._face.dashboard.get_dashboard, uid)

    def put_board(self, board: dict[str, Any], folder_uid: str, message: str) -> None:
        """Save a dashboard in a folder, over what is there."""
        body = {"dashboard": board, "folderUid": folder_uid, "message": message, "overwrite": True}
        self._ask(self._face.dashboard.update_dashboard, body)

    def annotation(self, tag: str) -> dict[str, Any] | None:
        """The annotation that carries `tag`, the newest where several do."""
        asked = partial(self._face.annotations.get_annotation, tags=[quote(tag)], limit=1)
        found: list[dict[str, Any]] = self._ask(asked)
        return found[0] if found else None

    def put_annotation(self, note: dict[str, Any], known: dict[str, Any] | None) -> None:
        """Make it, or change the `known` one; `note` has time, timeEnd (ms), tags and text."""
        said = (note["time"], note["timeEnd"], note["tags"], note["text"])
        if known is None:
            self._ask(self._face.annotations.add_annotation, None, None, *said)
        else:
            self._ask(self._face.annotations.update_annotation, known["id"], *said)

    def drop_annotation(self, known: dict[str, Any]) -> None:
        """Delete the `known` one."""
        self._ask(self._face.annotations.delete_annotations_by_id, known["id"])

    def _find(self, question: Any, *about: Any) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._ask(question, *about)
        except _NotFoundError:
            return None
        return found

    def _ask(self, question: Any, *about: Any) -> Any:
        try:
            return question(*about)
        except GrafanaUnauthorizedError as error:
            raise GrafanaError(
                f"{self.url} refuses the login; give a service account's token with the role "
                "Editor or Admin in GRAFANA_TOKEN"
            ) from error
        except GrafanaClientError as error:
            if error.status_code == NOT_FOUND:
                raise _NotFoundError(str(error)) from error
            raise GrafanaError(f"{self.url}: {error.message}") from error
        except GrafanaException as error:
            raise GrafanaError(f"{self.url}: {error.message}") from error
        except (requests.RequestException, ValueError) as error:
            raise GrafanaError(
                f"no Grafana answers at {self.url} ({type(error).__name__}); start it or "
                "correct --url"
            ) from error


class _NotFoundError(GrafanaError):
    pass
