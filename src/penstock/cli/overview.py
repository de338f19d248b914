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
    _section("Active workstream branches", [_branch(b) for b in found["branches"]])
    _section("Active worktrees", [_worktree(w) for w in found["worktrees"]])
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


def _branch(row: dict[str, Any]) -> str:
    return one_line(f"{str(row['commit'])[:12]}  {row['name']}")


def _worktree(row: dict[str, Any]) -> str:
    of = f"{row['ws_id']} of {row['run_id']}" if row.get("ws_id") else "free"
    return one_line(f"{row['path']}  {row['state']}, {of}")
