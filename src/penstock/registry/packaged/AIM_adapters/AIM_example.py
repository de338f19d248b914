#!/usr/bin/env python3
"""An adapter program of the open protocol, to copy and change.

It reads one JSON object on stdin and writes one on stdout:

    {"capability": "refactoring", "payload": {"files": ["a.py"], "timeout_ms": 5000,
     "max_retries": 0}, "tool": "example", "timeout_ms": 5000, "max_retries": 0}

    {"success": true, "message": "1 file tidied", "content": {"files_modified": ["a.py"], ...}}

Its working directory is the workstream's worktree; its own messages belong on stderr. The exit code
is 0 for success. `content.outcome` may say what kind of failure it was (auth, quota, rate_limited
with `reset_at`, overloaded, denied, refused, context_overflow, bad_output, budget, not_installed):
that decides whether another tool is tried. This one takes the white space from the ends of lines.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

VERSION = "1.0.0"


def tidy(payload: dict[str, Any]) -> dict[str, Any]:
    """Take the white space from the ends of lines in the payload's files."""
    modified, removed = [], 0
    for name in payload.get("files") or []:
        path = Path(name)
        before = path.read_text("utf-8")
        after = "".join(line.rstrip() + "\n" for line in before.splitlines())
        if after != before:
            path.write_text(after, "utf-8")
            modified.append(name)
            pairs = zip(before.splitlines(), after.splitlines(), strict=True)
            removed += sum(old != new for old, new in pairs)
    counts = {"lines_added": removed, "lines_removed": removed, "files_created": []}
    return {
        "success": True,
        "message": f"{len(modified)} files tidied",
        "content": {"files_modified": modified, **counts, "exit_code": 0},
    }


def version(payload: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - all answer alike
    """Answer what every adapter is asked."""
    return {"success": True, "message": VERSION, "content": {"exit_code": 0}}


CAPABILITIES = {"refactoring": tidy, "code_generation": tidy, "version": version}


def failed(message: str, **content: object) -> dict[str, Any]:
    """Return a reply that says why it did not work."""
    return {"success": False, "message": message, "content": {"exit_code": 1, **content}}


def answer(raw: str) -> dict[str, Any]:
    """Return the reply to a request."""
    try:
        request = json.loads(raw)
        capability, payload = request["capability"], request.get("payload") or {}
    except (ValueError, TypeError, KeyError, AttributeError):
        return failed("Invalid JSON input", outcome="bad_output")
    if capability not in CAPABILITIES:
        return failed(f"unknown capability: {capability}")
    try:
        return CAPABILITIES[capability](payload)
    except OSError as error:
        return failed(f"{error.filename}: {error.strerror}", outcome="crashed")


def main() -> int:
    """Read the request, write the reply."""
    reply = answer(sys.stdin.read())
    sys.stdout.write(json.dumps(reply) + "\n")
    return 0 if reply["success"] else 1


if __name__ == "__main__":
    sys.exit(main())
