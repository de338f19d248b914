"""Imports go downwards only, rooms of one rank do not know each other, and rooms show only api."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "penstock"

RANKS: dict[str, int] = {
    "errors": 0,
    "model": 0,
    "leaks": 0,
    "typed": 0,
    "schedule": 1,
    "routing": 1,
    "breakers": 1,
    "redact": 1,
    "folders": 1,
    "config": 2,
    "process": 2,
    "masking": 2,
    "trust": 2,
    "locks": 2,
    "store": 3,
    "worktrees": 3,
    "tools": 3,
    "checks": 3,
    "planning": 3,
    "environment": 3,
    "registry": 3,
    "vault": 3,
    "migration": 3,
    "audit": 3,
    "forge": 3,
    "engine": 4,
    "dispatch": 4,
    "assembly": 7,
    "toolside": 5,
    "router": 6,
    "provenance": 6,
    "lending": 6,
    "surroundings": 7,
    "driving": 8,
    "hooking": 8,
    "inspecting": 8,
    "escalating": 8,
    "examining": 8,
    "installing": 8,
    "keeping": 8,
    "migrating": 8,
    "scanning": 8,
    "vetting": 8,
    "authoring": 8,
    "indexing": 8,
    "linking": 8,
    "refining": 8,
    "syncing": 8,
    "wiring": 9,
    "demo": 10,
    "aim": 11,
    "aim_cli": 11,
    "cli": 11,
    "__main__": 12,
    "web": 11,
    "mcp": 11,
    "api": 11,
    "audit_log": 11,
    "journal": 11,
    "machine": 11,
    "calls": 11,
    "facade": 11,
    "execution": 11,
    "control": 11,
    "orchestrator": 11,
    "error_pipeline": 11,
    "orchestration": 12,
    "error_engine": 12,
}
PURE = {"schedule", "routing", "breakers", "redact", "model", "leaks"}
IMPURE_MODULES = {
    "logging", "os", "random", "secrets", "socket", "subprocess", "threading", "time", "tempfile",
    "sqlite3", "shutil", "signal", "asyncio", "uuid", "pathlib", "io",
}  # fmt: skip
COMPOSERS = {
    "authoring", "indexing", "linking", "refining", "syncing",
    "assembly", "driving", "escalating", "examining", "hooking", "inspecting", "installing", "keeping",
    "lending", "migrating", "router", "scanning", "surroundings", "toolside", "wiring", "provenance", "vetting",
}  # fmt: skip
# One process may be waited for by two edges of the engine, so these two share a rank and a road.
ROAD_WITHIN_RANK = {
    ("dispatch", "engine"),
    ("aim_cli", "cli"),
}


def modules() -> list[Path]:
    """All modules of the package but the root, whose imports are the public API."""
    return [p for p in sorted(SRC.rglob("*.py")) if p != SRC / "__init__.py"]


def room_of(path: Path) -> str:
    """The room that a file belongs to."""
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def imported(path: Path) -> list[tuple[str, int]]:
    """Every imported dotted name with its line, TYPE_CHECKING and in-function ones counted."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, node.lineno))
            if node.module == "penstock":
                found += [(f"penstock.{alias.name}", node.lineno) for alias in node.names]
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SRC)))
def test_imports_go_downwards_only(path: Path) -> None:
    """No module imports the root package, a room of the same rank, or one above its own."""
    room, wrong = room_of(path), []
    assert room in RANKS, f"{room} has no rank: give it one in RANKS"
    for name, line in imported(path):
        parts = name.split(".")
        if parts[0] != "penstock":
            continue
        if len(parts) == 1:
            wrong.append(f"{path.name}:{line} imports the root package")
            continue
        other = parts[1]
        if other == room or (room, other) in ROAD_WITHIN_RANK:
            continue
        if other not in RANKS:
            wrong.append(f"{path.name}:{line} imports {name}, which has no rank")
        elif RANKS[other] >= RANKS[room] and not (RANKS[room] == RANKS[other] == 0):
            wrong.append(f"{path.name}:{line} imports {name} (rank {RANKS[other]})")
    assert wrong == []


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SRC)))
def test_the_engine_knows_edges_by_their_api_only(path: Path) -> None:
    """The engine and the commands import only `api` of the edges."""
    rank = RANKS[room_of(path)]
    if rank != 4 and rank < 10:
        return
    wrong = [
        f"{path.name}:{line} imports {name}"
        for name, line in imported(path)
        if name.startswith("penstock.")
        and RANKS.get(name.split(".")[1]) == 3
        and name.split(".")[-1] != "api"
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "path", [p for p in modules() if room_of(p) in PURE], ids=lambda p: str(p.relative_to(SRC))
)
def test_pure_rooms_import_nothing_that_acts(path: Path) -> None:
    """Pure rooms have no clock, randomness, input, output or logging."""
    wrong = [(n, line) for n, line in imported(path) if n.split(".")[0] in IMPURE_MODULES]
    assert wrong == []


@pytest.mark.parametrize(
    "path", [p for p in modules() if p.name == "__init__.py"], ids=lambda p: p.parent.name
)
def test_room_init_holds_a_docstring_only(path: Path) -> None:
    """A room's `__init__.py` is its docstring, so that importing one module loads one module."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)


def test_only_the_composers_name_concrete_classes_of_the_edges() -> None:
    """Beside assembly and wiring, nothing outside a rank 3 room imports more of it, or of a room within it, than `api`."""
    wrong = []
    for path in modules():
        room = room_of(path)
        for name, line in imported(path):
            parts = name.split(".")
            if parts[0] != "penstock" or len(parts) < 2 or RANKS.get(parts[1]) != 3:
                continue
            if parts[1] != room and room not in COMPOSERS and parts[-1] != "api":
                wrong.append(f"{path.relative_to(SRC)}:{line} imports {name}")
    assert wrong == []
