"""Secrets that are made up as a test runs, so that no file of ours holds one; and scans for them."""

from __future__ import annotations

import random
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.environment.scan.secretscan import Places, Scan, SecretScan
from penstock.leaks.found import SecretReport, Source
from penstock.worktrees.git import find_git
from tests.support.repos import git, write

ALPHABET = string.ascii_letters + string.digits


def token(seed: int = 1) -> str:
    """Return what has the shape of a GitHub token; the same for the same seed."""
    return "ghp_" + "".join(random.Random(seed).choices(ALPHABET, k=36))


def line_with(secret: str, name: str = "TOKEN") -> str:
    """Return a line of Python that holds a secret."""
    return f'{name} = "{secret}"\n'


def commit(repo: Path, message: str, files: Mapping[str, str | bytes | None]) -> str:
    """Write and commit files, also ignored ones; return the commit."""
    write(repo, files)
    git(repo, "add", "--all", "--force", *files)
    git(repo, "commit", "--quiet", f"--message={message}")
    return git(repo, "rev-parse", "HEAD")


def scan_of(top: Path, *sources: Source, **request: Any) -> Scan:
    """Return a scan of a repository, or of a folder that is none."""
    is_repository = (top / ".git").exists()
    logs = (top / "logs", top / "state")
    places = Places(
        top=top,
        git=find_git(top) if is_repository else None,
        logs=logs,
        trail=top / "audit",
        private=(top / "state" / "homes",),
    )
    return Scan(SecretScan(sources=sources or (Source.TREE,), **request), places)


def scanned(top: Path, *sources: Source, **request: Any) -> SecretReport:
    """Scan a folder and return what was found."""
    return scan_of(top, *sources, **request).report()


def places_of(report: SecretReport) -> list[tuple[str, int]]:
    """Return the path and line of each finding."""
    return [(found.path, found.line) for found in report.findings]


def told_of(report: SecretReport, secrets: Sequence[str]) -> list[str]:
    """Return those of the secrets that a report tells, which should be none."""
    return [secret for secret in secrets if secret in repr(report)]
