"""What puts open items into one workstream: their unit, issue, directory, language, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

import msgspec

from penstock.planning.drafting.api import GroupBy
from penstock.planning.drafting.joined import Joined
from penstock.planning.drafting.tasks import Gathered, Task
from penstock.planning.sources.api import Dialect, Unit
from penstock.schedule.conflicts import claim_neighbours

LANGUAGES: Final[Mapping[str, str]] = {
    **dict.fromkeys((".py", ".pyi", ".ipynb"), "python"),
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), "javascript"),
    **dict.fromkeys((".ts", ".tsx", ".mts", ".cts"), "typescript"),
    **dict.fromkeys((".c", ".h"), "c"),
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx"), "cpp"),
    **dict.fromkeys((".md", ".mdx", ".rst", ".txt", ".adoc"), "text"),
    **dict.fromkeys((".yaml", ".yml", ".json", ".toml", ".ini", ".cfg", ".xml"), "data"),
    **dict.fromkeys((".html", ".css", ".scss", ".sass", ".less", ".vue", ".svelte"), "web"),
    **dict.fromkeys((".sh", ".bash", ".zsh", ".ps1"), "shell"),
    **dict.fromkeys((".kt", ".kts"), "kotlin"),
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
    ".cs": "csharp",
    ".rb": "ruby",
    ".php": "php",
    ".swift": "swift",
    ".sql": "sql",
}
"""Languages by the ending of a file's name."""

# How many folders a directory of a group is deep.
DEPTH: Final = 2
# Where a plan of one unit is its only workstream, the workstream is called like the plan.
_PLAIN = (Dialect.OPENSPEC, Dialect.CHECKLIST)


class Key(msgspec.Struct, frozen=True):
    """What tasks of one workstream have in common.

    `name` is what its id ends with; `apart` tells those of one name apart.
    """

    source: int
    name: str
    apart: Hashable = None


KeyOf = Callable[[Task], Key]


def keys(gathered: Gathered, gates: Sequence[int], by: GroupBy) -> KeyOf:
    """Return how a task finds its workstream. `gates` are those of the tasks."""
    if by is GroupBy.ALL:
        return lambda task: Key(task.source, "")
    if by is GroupBy.ISSUE:
        return lambda task: Key(task.source, str(task.unit.issue))
    if by is GroupBy.DIRECTORY:
        return _by_path(gathered, gates, directory_of)
    if by is GroupBy.LANGUAGE:
        return _by_path(gathered, gates, language_of)
    return _by_item(gathered) if by is GroupBy.ITEM else _by_unit(gathered)


def _by_path(gathered: Gathered, gates: Sequence[int], part_of: Callable[[str], str]) -> KeyOf:
    """By what most claims of a task have in common, gate by gate."""
    several = {
        source
        for source in range(len(gathered.sources))
        if len({gates[task.at] for task in gathered.tasks if task.source == source}) > 1
    }

    def key_of(task: Task) -> Key:
        part = Counter(map(part_of, task.claims)).most_common(1)[0][0]
        name = f"g{gates[task.at]}-{part}" if task.source in several else part
        return Key(task.source, name)

    return key_of


def directory_of(claim: str) -> str:
    """Return the first two folders of a claim, `root` for a file at the top."""
    folders = claim.split("/")[:-1]
    plain = [name for name in folders if not set(name) & set("*?[")]
    return "/".join(plain[:DEPTH]) or "root"


def language_of(claim: str) -> str:
    """Return the language of a claim's files by the ending of its name, `other` if not known."""
    return LANGUAGES.get(PurePosixPath(claim).suffix.lower(), "other")


def _by_item(gathered: Gathered) -> KeyOf:
    """Each for itself, but for tasks of one unit that claim the same."""
    first = collisions(gathered.tasks, lambda task: task.unit_at)

    def key_of(task: Task) -> Key:
        item = gathered.tasks[first[task.at]].item
        return Key(task.source, item.label or item.key, first[task.at])

    return key_of


def _by_unit(gathered: Gathered) -> KeyOf:
    """By unit; streams of one task of an epic that claim the same are one workstream."""
    names = _unit_names(gathered)
    joined = _joined_streams(gathered)
    for members in joined:
        name = _stream_name([gathered.units[at] for at in members], gathered)
        names.update(dict.fromkeys(members, (name, members[0])))

    def key_of(task: Task) -> Key:
        name, apart = names[task.unit_at]
        return Key(task.source, name, apart)

    return key_of


def _unit_names(gathered: Gathered) -> dict[int, tuple[str, int]]:
    names: dict[int, tuple[str, int]] = {}
    for source in gathered.sources:
        alone = len(source.units) == 1 and source.dialect in _PLAIN
        for unit in source.units:
            names[len(names)] = ("" if alone else unit.key, len(names))
    return names


def _joined_streams(gathered: Gathered) -> list[list[int]]:
    """The units that are streams of one task of a CCPM epic and claim the same paths."""
    streams = [
        task
        for task in gathered.tasks
        if gathered.sources[task.source].dialect is Dialect.CCPM and task.claims
    ]
    first = collisions(streams, lambda task: (task.source, str(task.unit.issue)))
    joined = Joined()
    for task in streams:
        joined.join(task.unit_at, gathered.tasks[first[task.at]].unit_at)
    found: dict[int, list[int]] = {}
    for unit_at in dict.fromkeys(task.unit_at for task in streams):
        found.setdefault(joined.first(unit_at), []).append(unit_at)
    return [members for members in found.values() if len(members) > 1]


def _stream_name(units: Sequence[Unit], gathered: Gathered) -> str:
    """`12` when all streams of task 12 are one, `12-a-c` when two of more are."""
    stem, _, _ = units[0].key.rpartition("-")
    if not stem:
        return "-".join(unit.key for unit in units)
    siblings = [unit for unit in gathered.units if unit.key.startswith(f"{stem}-")]
    if len(siblings) == len(units):
        return stem
    return "-".join((stem, *(unit.key.rpartition("-")[2] for unit in units)))


def collisions(tasks: Iterable[Task], within: Callable[[Task], Hashable]) -> dict[int, int]:
    """Return for each task the first of those that it shares a path with, also through others.

    Only tasks that are equal by `within` are compared.
    """
    found = list(tasks)
    neighbours = claim_neighbours(claim for task in found for claim in task.claims)
    near = {claim: frozenset(others) for claim, others in neighbours.items()}
    users: dict[Hashable, dict[str, int]] = {}
    joined = Joined()
    for task in found:
        own = users.setdefault(within(task), {})
        for claim in task.claims:
            joined.join(task.at, own.setdefault(claim, task.at))
    for own in users.values():
        for claim, user in own.items():
            for other in own.keys() & near[claim]:
                joined.join(user, own[other])
    return {task.at: joined.first(task.at) for task in found}
