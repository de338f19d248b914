"""Twenty features for the generated repository, as turns of the scripted tool."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Files = Mapping[str, str]
Edits = dict[str, str]

_SECTION = re.compile(r"^=== (\S+) (\S+)\n", re.MULTILINE)
MONEY, WRAP = "src/meridian/core/money.py", "src/meridian/core/wrap.py"
CALENDAR, PERIODS = "src/meridian/core/calendar.py", "src/meridian/core/periods.py"
CHANGES, START = "CHANGES.md", "src/meridian/__init__.py"
NOTES = {"c1": "- Check digits of card numbers.\n", "c2": "- Ciphers for children.\n"}
HEADING = "## 1.4.0\n\n"
LONG_S = 2.0
"""How long the first turn of a workstream takes that is to meet another at its merge."""

PLAIN: Mapping[str, Mapping[str, Any]] = {
    "percent": {},
    "usage": {"depends_on": ["ws-percent"]},
    "board": {"depends_on": ["ws-usage"]},
    "clock": {},
    "doors": {"depends_on": ["ws-clock"]},
    "timesheet": {"depends_on": ["ws-clock"]},
    "desk": {"depends_on": ["ws-doors", "ws-timesheet"]},
    "reorder": {"conflict_group": "inventory"},
    "recount": {"conflict_group": "inventory"},
    "dunning": {},
    "peaks": {},
}
"""A chain, a diamond, a group, and two that stand alone."""


def bundles(files: Files) -> list[dict[str, Any]]:
    """Return the twenty bundles for the files of a repository."""
    parts = _parts()
    plain = [_bundle(name, [parts[name]], **more) for name, more in PLAIN.items()]
    return [*_conflicts(files, parts), *_red_pair(files, parts), *plain, _release(files, parts)]


def red_pair(files: Files) -> tuple[Edits, Edits]:
    """Return what the two do at first that are green alone and red together."""
    rename, caller = _red_pair(files, _parts())
    return _first(rename), _first(caller)


def outcome(files: Files) -> Edits:
    """Return what the repository holds when all twenty are in it."""
    made = dict(files)
    for bundle in bundles(files):
        for turn in bundle["metadata"]["scripted"]:
            made |= turn["edits"]
    return made


# -- the workstreams -------------------------------------------------------------------------------
def _conflicts(files: Files, parts: Mapping[str, Edits]) -> list[dict[str, Any]]:
    """Three pairs that edit the same lines; the second turn of each holds what both wanted."""
    made = []
    for pair, path in (("a", MONEY), ("b", WRAP)):
        both = {path: _last_function(files[path], parts[pair][path])}
        for name in (f"{pair}1", f"{pair}2"):
            own = {**parts[name], path: _last_function(files[path], parts[name][path])}
            made.append(_bundle(f"{pair}-{name}", [own, both], slow=True))
    both = {CHANGES: _noted(files, *NOTES.values())}
    for name, note in NOTES.items():
        own = {**parts[name], CHANGES: _noted(files, note)}
        made.append(_bundle(f"c-{name}", [own, both], slow=True))
    return made


def _red_pair(files: Files, parts: Mapping[str, Edits]) -> list[dict[str, Any]]:
    """One renames a function and all its callers, the other adds a caller.

    Whichever comes later mends it: the one by keeping the old name too, the other by using the
    new one.
    """
    renamed = {
        path: _sorted_names(text.replace("month_end", "end_of_month"))
        for path, text in files.items()
        if "month_end" in text
    }
    alias = {CALENDAR: renamed[CALENDAR] + "\n\nmonth_end = end_of_month\n"}
    caller = parts["r2"]
    mended = {PERIODS: caller[PERIODS].replace("month_end", "end_of_month")}
    return [
        _bundle("d-rename", [renamed, alias], slow=True),
        _bundle("d-caller", [caller, mended], slow=True),
    ]


def _release(files: Files, parts: Mapping[str, Edits]) -> dict[str, Any]:
    """The last one, behind a gate, changes the version."""
    noted = _noted(files, *NOTES.values())
    edits = {
        **parts["release"],
        "pyproject.toml": files["pyproject.toml"].replace('"1.4.0"', '"1.5.0"'),
        START: files[START].replace('"1.4.0"', '"1.5.0"'),
        CHANGES: noted.replace(HEADING, "## 1.5.0\n\n- Twenty small features.\n\n" + HEADING),
    }
    return _bundle("release", [edits], gate=2)


# -- pieces ----------------------------------------------------------------------------------------
def _bundle(name: str, turns: Sequence[Edits], slow: bool = False, **more: Any) -> dict[str, Any]:
    scope = sorted({path for edits in turns for path in edits})
    played: list[dict[str, Any]] = [{"edits": edits, "output": f"did {name}"} for edits in turns]
    if slow:
        played[0]["delay_s"] = LONG_S
    return {
        "id": f"ws-{name}",
        "openspec_change": "twenty-features",
        "ccpm_issue": 1,
        "gate": 1,
        "files_scope": scope,
        "tasks": [f"Add {name}"],
        "tool": "scripted",
        "metadata": {"scripted": played},
        **more,
    }


def _first(bundle: Mapping[str, Any]) -> Edits:
    edits: Edits = bundle["metadata"]["scripted"][0]["edits"]
    return edits


def _parts() -> dict[str, Edits]:
    """Return the new texts by feature and path."""
    text = Path(__file__).with_name("features.txt").read_text(encoding="utf-8")
    cut = _SECTION.split(text)[1:]
    found: dict[str, Edits] = {}
    for at in range(0, len(cut), 3):
        found.setdefault(cut[at], {})[cut[at + 1]] = cut[at + 2]
    return found


def _last_function(text: str, function: str) -> str:
    """Return a module with another last function."""
    return text[: text.rindex("\ndef ") + 1] + function


def _noted(files: Files, *notes: str) -> str:
    return files[CHANGES].replace(HEADING, HEADING + "".join(notes))


def _sorted_names(text: str) -> str:
    """Return a text with the names of its imports from the calendar in order."""

    def sort(line: re.Match[str]) -> str:
        return f"{line[1]}{', '.join(sorted(line[2].split(', ')))}"

    return re.sub(r"^(from meridian\.core\.calendar import )(.+)$", sort, text, flags=re.MULTILINE)
