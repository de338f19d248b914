"""`penstock status --repo`: branches, worktrees and key files of ours in this repository."""

from __future__ import annotations

from typing import Any

from penstock.cli import output
from penstock.cli.words import one_line
from penstock.wiring import Workspace


def show_repository(workspace: Workspace, *, as_json: bool) -> None:
    """Print the branches and worktrees of ours, which key files there are, and totals."""
    found = workspace.repository_overview()
    if as_json:
        output.emit_json(found)
        return
    _section("Active workstream branches", [_named(b) for b in found["branches"]])
    _section("Active worktrees", [_named(w) for w in found["worktrees"]])
    output.emit("Key files:")
    for name, present in found["files"].items():
        output.emit(f"  {'present' if present else 'missing'}  {name}")
    output.emit()
    output.emit(f"Total branches: {len(found['branches'])}")
    output.emit(f"Total worktrees: {len(found['worktrees'])}")
    present = sum(found["files"].values())
    output.emit(f"Key files: {present} of {len(found['files'])} present")


def _section(title: str, lines: list[str]) -> None:
    output.emit(f"{title}:")
    for line in lines or ["(none)"]:
        output.emit(f"  {line}")
    output.emit()


def _named(entry: Any) -> str:
    """Return an entry of the overview in one line, its name or path first."""
    if not isinstance(entry, dict):
        return str(entry)
    first = entry.get("name") or entry.get("branch") or entry.get("path") or ""
    rest = [f"{key}: {value}" for key, value in entry.items() if value not in (None, "", first)]
    return one_line(f"{first}  {', '.join(rest)}".rstrip())
