"""A server that answers as Grafana's documented HTTP API does, as far as provisioning asks.

Source: Grafana 11, HTTP API: data source, folder, dashboard and annotation endpoints. Status
codes, the fields that Grafana adds, and what it refuses are those of the documentation.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from tests.servers import serving

TOKEN = "glsa_test"
USER, PASSWORD = "admin", "secret"
LOGINS = {
    f"Bearer {TOKEN}",
    "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
}
Reply = tuple[int, dict[str, Any] | list[dict[str, Any]]]


@dataclass
class Contents:
    """What this Grafana holds, and what it was asked."""

    url: str = ""
    data_sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    boards: dict[str, dict[str, Any]] = field(default_factory=dict)
    annotations: dict[int, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    query: str = ""

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Requests that change something."""
        return [asked for asked in self.requests if asked[0] != "GET"]

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        """One request."""
        path, _, self.query = path.partition("?")
        kind, *rest = path.removeprefix("/api/").split("/")
        answers = {
            "datasources": self._source,
            "folders": self._folder,
            "dashboards": self._board,
            "annotations": self._annotation,
        }
        if kind not in answers:
            return 404, {"message": "Not found"}
        return answers[kind](method, rest, body)

    def _source(self, method: str, rest: list[str], body: dict[str, Any]) -> Reply:
        if method == "GET":
            found = self.data_sources.get(rest[-1].replace("%20", " "))
            return (200, found) if found else (404, {"message": "Data source not found"})
        if method == "POST":
            if body["name"] in self.data_sources:
                return 409, {"message": "data source with the same name already exists"}
            number = len(self.data_sources) + 1
            made = {"orgId": 1, "readOnly": False, "isDefault": False, **body, "id": number}
            self.data_sources[body["name"]] = made
            return 200, {"datasource": made, "id": number, "message": "Datasource added"}
        known = next(s for s in self.data_sources.values() if s["id"] == int(rest[-1]))
        known.update(body)
        return 200, {"datasource": known, "message": "Datasource updated"}

    def _folder(self, method: str, rest: list[str], body: dict[str, Any]) -> Reply:
        if method == "GET":
            found = self.folders.get(rest[-1])
            return (200, found) if found else (404, {"message": "folder not found"})
        if body["uid"] in self.folders:
            return 412, {"message": "the folder has been changed by someone else"}
        self.folders[body["uid"]] = {"id": len(self.folders) + 1, "version": 1, **body}
        return 200, self.folders[body["uid"]]

    def _board(self, method: str, rest: list[str], body: dict[str, Any]) -> Reply:
        if method == "GET":
            found = self.boards.get(rest[-1])
            return (200, found) if found else (404, {"message": "Dashboard not found"})
        board, folder = body["dashboard"], body["folderUid"]
        if folder not in self.folders:
            return 400, {"message": "folder not found"}
        known = self.boards.get(board["uid"])
        if known and not body.get("overwrite"):
            return 412, {"message": "The dashboard has been changed by someone else"}
        version = known["dashboard"]["version"] + 1 if known else 1
        number = known["dashboard"]["id"] if known else len(self.boards) + 1
        saved = {**board, "id": number, "version": version}
        self.boards[board["uid"]] = {"dashboard": saved, "meta": {"folderUid": folder}}
        return 200, {"id": number, "uid": board["uid"], "status": "success", "version": version}

    def _annotation(self, method: str, rest: list[str], body: dict[str, Any]) -> Reply:
        if method == "GET":
            asked = parse_qs(self.query)
            wanted, most = set(asked.get("tags", ())), int(asked.get("limit", ["100"])[0])
            found = [a for a in self.annotations.values() if wanted <= set(a["tags"])]
            return 200, sorted(found, key=lambda a: -int(a["time"]))[:most]
        if method == "POST":
            if not body["text"]:
                return 400, {"message": "text field should not be empty"}
            number = max(self.annotations, default=0) + 1
            given = {"time": body["time"], "timeEnd": body["timeEnd"] or body["time"]}
            words = {"tags": body["tags"], "text": body["text"]}
            self.annotations[number] = {"id": number, "alertId": 0, "data": {}, **given, **words}
            return 200, {"message": "Annotation added", "id": number}
        known = self.annotations.get(int(rest[-1]))
        if known is None:
            return 404, {"message": "Annotation not found"}
        if method == "DELETE":
            del self.annotations[known["id"]]
            return 200, {"message": "Annotation deleted"}
        known.update(body)
        return 200, {"message": "Annotation updated"}


@contextmanager
def a_grafana() -> Iterator[Contents]:
    """The server, on 127.0.0.1 below `/grafana`."""
    contents = Contents()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"{}")
            path = self.path.removeprefix("/grafana")
            contents.requests.append((self.command, path))
            allowed = self.headers.get("Authorization") in LOGINS
            refusal = (401, {"message": "Invalid API key"})
            status, said = contents.answer(self.command, path, body or {}) if allowed else refusal
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = _answer

        def log_message(self, *_: object) -> None:
            return None

    with serving(Handler) as address:
        contents.url = f"{address}/grafana"
        yield contents
