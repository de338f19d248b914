"""Reads the JSON of `detect-secrets scan`."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import UnreadableError, one_line, position
from penstock.checks.plugins.readers.shapes import shaped
from penstock.model.finding import Finding
from penstock.model.manifest import OutputSpec

BASELINE = ".secrets.baseline"
_LARGEST = 16 << 20


class _Secret(msgspec.Struct):
    type: str
    hashed_secret: str
    line_number: int = 0
    is_secret: bool | None = None


class _Report(msgspec.Struct):
    results: dict[str, list[_Secret]]


def read_detect_secrets(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read the secrets that the baseline at the top of the tree does not know.

    Its own option for a baseline would rewrite that file.
    """
    try:
        report = shaped(raw.stdout, _Report)
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    known = known_secrets(raw.tree)
    return Parsed(
        tuple(
            _finding(path, secret, raw.tool, spec)
            for path, secrets in sorted(report.results.items())
            for secret in secrets
            if (_plain(path), secret.hashed_secret) not in known
        )
    )


def known_secrets(tree: Path) -> frozenset[tuple[str, str]]:
    """Return (path, digest of the secret) of the baseline; one that cannot be read knows none."""
    try:
        with (tree / BASELINE).open("rb") as stream:
            report = shaped(stream.read(_LARGEST), _Report)
    except (OSError, UnreadableError):
        return frozenset()
    return frozenset(
        (_plain(path), secret.hashed_secret)
        for path, secrets in report.results.items()
        for secret in secrets
        if secret.is_secret is not True  # an audit has confirmed that this one is real
    )


def _plain(path: str) -> str:
    return path.replace("\\", "/").removeprefix("./")


def _finding(path: str, secret: _Secret, tool: str, spec: OutputSpec) -> Finding:
    return Finding(
        tool=tool,
        message=one_line(f"possible secret: {secret.type}"),
        path=path,
        line=position(secret.line_number),
        code=re.sub(r"[^a-z0-9]+", "-", secret.type.lower()).strip("-") or None,
        category=spec.category,
        severity=spec.severity,
    )
