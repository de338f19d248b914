"""A stand-in for the Jules REST API on loopback, in the form that its documentation gives."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

KEY = "jules-key"
NAME = "sessions/1234"
PATCH = "--- a/calc.py\n+++ b/calc.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"


def activity(patch: str) -> dict[str, Any]:
    """Return an activity with a patch among its artifacts."""
    change = {"source": "sources/github/o/r", "gitPatch": {"unidiffPatch": patch}}
    return {"name": f"{NAME}/activities/a", "artifacts": [{"changeSet": change}]}


class JulesService:
    """Serves one session; use it as a context manager.

    `states` are what the session says each time that it is asked for, the last one for ever.
    `pages` are the pages of its activities, `outputs` what the session itself holds at its end.
    `broken` maps `POST sessions`, `GET session` or `GET activities` to a status, headers and body
    that are sent instead.
    """

    def __init__(
        self,
        states: tuple[str, ...] = ("QUEUED", "IN_PROGRESS", "COMPLETED"),
        pages: tuple[list[dict[str, Any]], ...] = ([], [activity(PATCH)]),
        outputs: list[dict[str, Any]] | None = None,
        broken: Mapping[str, tuple[int, Mapping[str, str], bytes]] | None = None,
    ) -> None:
        self.states, self.pages, self.outputs = list(states), pages, outputs or []
        self.broken = dict(broken or {})
        self.requests: list[tuple[str, str, Any]] = []
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def base_url(self) -> str:
        """The address that takes the place of https://jules.googleapis.com/v1alpha."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1alpha"

    def session(self) -> dict[str, Any]:
        """Return the session as it stands now, and let it go on."""
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        url = "https://jules.google.com/session/1234"
        return {"name": NAME, "state": state, "url": url, "outputs": self.outputs}

    def page(self, token: str) -> dict[str, Any]:
        """Return a page of activities."""
        number = int(token or 0)
        more = {"nextPageToken": str(number + 1)} if number + 1 < len(self.pages) else {}
        return {"activities": self.pages[number], **more}


class _Server(ThreadingHTTPServer):
    def __init__(self, service: JulesService) -> None:
        self.service = service
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet."""

    def do_POST(self) -> None:
        """Create a session."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self._answer("POST sessions", body, lambda service: {**service.session(), "state": None})

    def do_GET(self) -> None:
        """Return the session or a page of its activities."""
        parts = urlsplit(self.path)
        token = parse_qs(parts.query).get("pageToken", [""])[0]
        if parts.path.endswith("/activities"):
            self._answer("GET activities", token, lambda service: service.page(token))
        else:
            self._answer("GET session", None, lambda service: service.session())

    def _answer(self, what: str, told: Any, make: Any) -> None:
        service = self.server.service
        service.requests.append((what, self.headers.get("X-Goog-Api-Key", ""), told))
        if what in service.broken:
            status, headers, body = service.broken[what]
        elif self.headers.get("X-Goog-Api-Key") != KEY:
            status, headers, body = 401, {}, b'{"error": {"status": "UNAUTHENTICATED"}}'
        else:
            status, headers, body = 200, {}, json.dumps(make(service)).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
