"""Readers of tools' output, fed with what a test makes up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.table import reader
from penstock.model.manifest import OutputSpec


def raw_of(
    stdout: bytes | str = b"",
    stderr: bytes | str = b"",
    report: bytes | None = None,
    *,
    exit_code: int = 1,
    tree: Path = Path("/nowhere"),
) -> RawOutput:
    """Return the output of a tool called `it`."""
    return RawOutput(_bytes(stdout), _bytes(stderr), report, exit_code, tree, "it")


def _bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


def spec_of(name: str, **fields: Any) -> OutputSpec:
    """Return how a manifest says that output is to be read."""
    return msgspec.convert({"reader": name, **fields}, OutputSpec)


def parse(
    name: str,
    stdout: bytes | str = b"",
    *,
    stderr: bytes | str = b"",
    exit_code: int = 1,
    tree: Path = Path("/nowhere"),
    **fields: Any,
) -> Parsed:
    """Read output with the named reader."""
    raw = raw_of(stdout, stderr, exit_code=exit_code, tree=tree)
    return reader(name)(raw, spec_of(name, **fields))


def parse_json(name: str, value: Any, *, exit_code: int = 1, **fields: Any) -> Parsed:
    """Read a JSON value with the named reader."""
    return parse(name, json.dumps(value), exit_code=exit_code, **fields)


def brief(parsed: Parsed) -> list[str]:
    """Return findings as `path:line:column severity code message`, None left out."""
    return [
        " ".join(
            str(part)
            for part in (
                ":".join(str(p) for p in (f.path, f.line, f.column) if p is not None),
                f.severity.value,
                f.code,
                f.message,
            )
            if part
        )
        for f in parsed.findings
    ]
