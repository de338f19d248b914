"""Tool profiles: the packaged ones, overlaid key by key by config/tool_profiles.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from penstock.config.decode import nearest, problems_of
from penstock.config.documents import ConfigFileError, Document, load_document
from penstock.config.problems import Key, Problem
from penstock.errors import NotFoundError
from penstock.model.settings import ToolProfile
from penstock.typed import typed

NAME = "config/tool_profiles.json"
_PACKAGED = Path(__file__).with_name("tool_profiles.json")


class _Entry(ToolProfile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A profile as it is decoded: the same keys, and no other."""


def load_tool_profiles(path: Path | None = None) -> dict[str, ToolProfile]:
    """Return all profiles by id.

    `path` is a profile file, or the repository root, whose config/tool_profiles.json is read when
    there is one; None gives the packaged profiles. An entry with a packaged id changes only the
    keys that it names. Raises ConfigError naming file and key of every error.
    """
    raw = _packaged()
    document = _find(path)
    if document is None:
        return _convert(Document(NAME, raw))
    ours, problems = _normalised(document)
    merged = {key: {**raw.get(key, {}), **entry} for key, entry in ours.items()}
    changed = _convert(Document(document.shown, merged, document.marks), problems)
    return _convert(Document(NAME, raw)) | changed


def get_tool_profile(
    tool_id: str, profiles: Mapping[str, ToolProfile] | None = None
) -> ToolProfile:
    """Return a profile, by default of the packaged ones.

    Raises NotFoundError that names the nearest known id.
    """
    known = load_tool_profiles() if profiles is None else profiles
    if tool_id not in known:
        raise NotFoundError(
            f"there is no tool profile {tool_id!r}; {nearest(tool_id, known)}",
            hint=f"Add it to {NAME}.",
        )
    return known[tool_id]


@cache
def _packaged() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = msgspec.json.decode(_PACKAGED.read_bytes())
    return found


def _find(path: Path | None) -> Document | None:
    if path is None:
        return None
    if path.is_dir():
        return load_document(path / NAME, root=path)
    document = load_document(path)
    if document is None:
        raise ConfigFileError(str(path), ["there is no such file"])
    return document


def _normalised(document: Document) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
    """Return the file's entries with underscore keys, and problems; `$schema` is left out."""
    if not isinstance(document.value, dict):
        raise ConfigFileError(document.shown, ["expected a mapping of tool ids to profiles"])
    problems: list[Problem] = []
    entries: dict[str, dict[str, Any]] = {}
    for tool_id, entry in document.value.items():
        if tool_id.startswith(("$", "_")):
            continue
        if not isinstance(entry, dict):
            problems.append(document.problem((tool_id,), "expected a mapping"))
            continue
        entries[tool_id] = {key.replace("-", "_"): value for key, value in entry.items()}
        wrong = _key_problems(tool_id, entry)
        problems += [document.problem(path, text) for path, text in wrong]
    return entries, problems


def _key_problems(tool_id: str, entry: dict[str, Any]) -> Iterator[tuple[Key, str]]:
    if not tool_id.strip():
        yield (tool_id,), "a tool id must not be empty"
    if "tool_id" in entry:
        yield (tool_id, "tool_id"), "is the entry's own name, leave it out"
    for key in entry:
        if "-" in key and key.replace("-", "_") in entry:
            yield (tool_id, key), f"is given twice, as {key} and {key.replace('-', '_')}"


def _convert(document: Document, problems: Sequence[Problem] = ()) -> dict[str, ToolProfile]:
    profiles: dict[str, ToolProfile] = {}
    wrong = list(problems)
    for tool_id, entry in document.value.items():
        full = {**entry, "tool_id": tool_id}
        try:
            profiles[tool_id] = _plain(typed(full, _Entry))
        except msgspec.ValidationError as error:
            one = Document(document.shown, {tool_id: full}, document.marks)
            wrong += problems_of(one, _Entry, (tool_id,)) or [one.problem((tool_id,), str(error))]
    if wrong:
        raise ConfigFileError(document.shown, wrong)
    return profiles


def _plain(entry: _Entry) -> ToolProfile:
    """Return the entry as the model's own type."""
    return ToolProfile(**{name: getattr(entry, name) for name in entry.__struct_fields__})
