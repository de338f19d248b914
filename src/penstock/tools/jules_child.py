"""Hands a task to the Jules REST API and waits for its patch. Runs as a process of its own.

Reads its order from the file in its last argument, the key from JULES_API_KEY, and prints one JSON
event a line: `submitted`, `state`, and at the end `result` or `error`. Only the standard library.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

KEY = "JULES_API_KEY"
REQUEST_S = 60.0
MAX_BODY = 64 << 20
ENDED = ("COMPLETED", "FAILED", "CANCELLED")
ASKING = ("AWAITING_USER_FEEDBACK", "AWAITING_PLAN_APPROVAL", "PAUSED")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PAGES = 1000
_NAME = re.compile(r"sessions/[\w.-]+")


class RefusedError(Exception):
    """The service answered with an error, or with something that is no answer."""

    def __init__(self, message: str, status: int | None = None, wait: str | None = None) -> None:
        super().__init__(message)
        self.told = {"message": message, "status": status, "retry_after": wait}


class _Staying(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the key is for one host only."""

    def redirect_request(self, *_: object) -> None:
        """Make an error of a redirect."""


def say(kind: str, **told: object) -> None:
    """Print one event."""
    sys.stdout.write(json.dumps({"type": kind, **told}) + "\n")
    sys.stdout.flush()


def call(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Make one request and return the object in its reply. Raises RefusedError."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-Goog-Api-Key": os.environ.get(KEY, ""), "Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310
    try:
        with urllib.request.build_opener(_Staying).open(request, timeout=REQUEST_S) as reply:
            value = json.loads(reply.read(MAX_BODY))
    except urllib.error.HTTPError as error:
        with error:
            words = error.read(4096).decode("utf-8", "replace")
        raise RefusedError(
            words or str(error), error.code, error.headers.get("Retry-After")
        ) from error
    except OSError as error:
        raise RefusedError(f"connection error: {error}") from error
    except ValueError as error:
        raise RefusedError(f"invalid JSON in the reply: {error}") from error
    if not isinstance(value, dict):
        raise RefusedError("invalid JSON in the reply: it is no object")
    return value


def check_address(url: str) -> None:
    """Refuse an address to which the key would go in the clear. Raises RefusedError."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and (parts.scheme, parts.hostname in LOOPBACK) != ("http", True):
        raise RefusedError(f"the address {url} is neither https nor http on this machine")


def submit(order: dict[str, Any]) -> dict[str, Any]:
    """Create a session, whose plan is approved by itself. Raises RefusedError."""
    branch = {"githubRepoContext": {"startingBranch": order["branch"]}}
    return call(
        f"{order['base_url']}/sessions",
        {
            "prompt": order["prompt"],
            "title": order["title"],
            "sourceContext": {"source": order["source"], **branch},
            "requirePlanApproval": False,
        },
    )


def wait(order: dict[str, Any], name: str) -> dict[str, Any]:
    """Ask for the session until it has ended or wants an answer. Raises RefusedError."""
    while True:
        session = call(f"{order['base_url']}/{name}")
        state = str(session.get("state", ""))
        say("state", state=state)
        if state in ENDED or state in ASKING:
            return session
        time.sleep(order["poll_s"])


def pull(order: dict[str, Any], session: dict[str, Any]) -> str:
    """Return the last patch of a session, empty when it has none. Raises RefusedError."""
    patches = [patch_of(output) for output in session.get("outputs") or []]
    found = [patch for patch in patches if patch]
    if found:
        return found[-1]
    last, page = "", ""
    for _ in range(_PAGES):
        query = urllib.parse.urlencode({"pageSize": 100, **({"pageToken": page} if page else {})})
        reply = call(f"{order['base_url']}/{session['name']}/activities?{query}")
        artifacts = [a for act in reply.get("activities") or [] for a in act.get("artifacts") or []]
        last = next(filter(None, map(patch_of, reversed(artifacts))), last)
        page = str(reply.get("nextPageToken") or "")
        if not page:
            break
    return last


def patch_of(holder: dict[str, Any]) -> str:
    """Return the patch in an artifact or an output, empty when it has none."""
    change = holder.get("changeSet") or {}
    return str((change.get("gitPatch") or {}).get("unidiffPatch") or "")


def work(order: dict[str, Any]) -> None:
    """Submit, poll, pull. Raises RefusedError."""
    check_address(order["base_url"])
    session = submit(order)
    name = str(session.get("name", ""))
    if not _NAME.fullmatch(name):
        raise RefusedError("invalid JSON in the reply: the new session has no name")
    say("submitted", session=name, url=session.get("url"))
    session = {**wait(order, name), "name": name}
    state = str(session.get("state"))
    patch = pull(order, session) if state == "COMPLETED" else ""
    Path(order["patch_file"]).write_text(patch, "utf-8", newline="\n")
    say("result", state=state, patch=bool(patch), url=session.get("url"))


def main() -> int:
    """Do the order in the file of the last argument."""
    order = json.loads(Path(sys.argv[-1]).read_text("utf-8"))
    try:
        work(order)
    except RefusedError as refused:
        say("error", **refused.told)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
