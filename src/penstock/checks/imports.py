"""Where Python would import the tree's packages from: a pass on other code is no pass.

An editable install leads to the user's checkout, whatever the worktree holds. A small child in the
check's own environment tells where each top-level package of the tree would come from. What
leads into the checkout is led back by PYTHONPATH where that is enough; where it is not, the
check cannot be trusted and its environment has to be mended.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import msgspec

from penstock.checks.surroundings import joined_path, source_path, top_level_names
from penstock.process.api import Command, Stop
from penstock.process.environment import find_executable
from penstock.process.run import run
from penstock.typed import typed_json

PROBE_TIMEOUT_S = 60.0
_MARK = b"penstock-probe:"
_FOREIGN = frozenset({"site-packages", "dist-packages"})
# Must run on any Python that a repository may use, so it is plain and old.
_PROBE = r"""
import json, sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
import importlib.util
found, mapped = {}, []
for name in json.loads(sys.argv[1]):
    try:
        spec = importlib.util.find_spec(name)
    except Exception:
        continue
    if spec is None:
        continue
    places = [spec.origin] if spec.has_location else []
    found[name] = places or list(spec.submodule_search_locations or [])
for finder in sys.meta_path:
    module = sys.modules.get(getattr(finder, "__module__", None))
    mapping = getattr(module, "MAPPING", None)
    if isinstance(mapping, dict):
        mapped.extend(str(place) for place in mapping.values())
sys.stdout.write("\npenstock-probe:" + json.dumps([found, sys.path, mapped]) + "\n")
"""


class ProbeAnswer(msgspec.Struct, frozen=True, array_like=True):
    """Where each name comes from, the import path, and where editable finders lead."""

    found: dict[str, list[str]]
    path: list[str]
    mapped: list[str]


@dataclass(frozen=True, slots=True)
class Imports:
    """What to put on PYTHONPATH, and what is wrong all the same."""

    path: tuple[Path, ...] = ()
    problem: str | None = None


@dataclass(slots=True)
class ImportGuard:
    """Asks once for each environment, and again when its packages have changed. Thread-safe."""

    _known: dict[tuple[str, ...], tuple[tuple[float, ...], Imports]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(
        self, python: Path, tree: Path, root: Path, env: Mapping[str, str], stop: Stop
    ) -> Imports:
        """Return what the tree's packages need to be imported from the tree."""
        names = tree_names(tree)
        if not names or tree == root:
            return Imports()
        key = (str(python), str(tree), *names)
        with self._lock:
            known = self._known.get(key)
        if known is not None and known[0] == _stamps(python):
            return known[1]
        stamps = _stamps(python)
        answer = _Look(python, tree, root, dict(env), stop).result(names)
        if answer is None:
            return Imports()  # it gave no answer, and the check itself will show why
        with self._lock:
            self._known[key] = (stamps, answer)
        return answer


@dataclass(frozen=True, slots=True)
class _Look:
    python: Path
    tree: Path
    root: Path
    env: dict[str, str]
    stop: Stop

    def result(self, names: tuple[str, ...]) -> Imports | None:
        """Probe, lead back what leads into the checkout, and probe again."""
        sources = source_path(self.tree)
        base = () if sources is None else (sources,)
        first = self._probe(names, base)
        if first is None:
            return None
        mirrors = self._mirrors(first)
        if any(self._astray(first, name, strict=False) for name in top_level_names(self.tree)):
            mirrors.append(self.tree)
        path = tuple(dict.fromkeys((*base, *mirrors)))
        inner = tuple(name for folder in mirrors for name in top_level_names(folder))
        names = tuple(dict.fromkeys((*names, *inner)))
        answer = first if path == base else self._probe(names, path)
        return None if answer is None else Imports(path, self._problem(answer, names))

    def _probe(self, names: tuple[str, ...], path: tuple[Path, ...]) -> ProbeAnswer | None:
        """Ask the interpreter; None when it gave no answer."""
        outcome = run(
            Command(
                argv=(str(self.python), "-c", _PROBE, msgspec.json.encode(names).decode()),
                cwd=self.tree,
                env={**self.env, "PYTHONPATH": self._path(path)},
                wall_s=PROBE_TIMEOUT_S,
                sweep_cwd=None,
            ),
            self.stop,
        )
        for line in reversed(outcome.stdout.splitlines()):
            if line.startswith(_MARK):
                try:
                    return typed_json(line[len(_MARK) :], ProbeAnswer)
                except msgspec.DecodeError:
                    return None
        return None

    def _path(self, folders: tuple[Path, ...]) -> str:
        given = [Path(entry) for entry in self.env.get("PYTHONPATH", "").split(os.pathsep) if entry]
        return joined_path((*folders, *given))

    def _mirrors(self, answer: ProbeAnswer) -> list[Path]:
        """Return the tree's counterparts of what is imported from within the checkout."""
        mapped = [str(PurePath(place).parent) for place in answer.mapped]
        places = [Path(place) for place in (*answer.path, *mapped) if Path(place).is_absolute()]
        inside = [place for place in places if self._in_checkout(place)]
        found = [self.tree / os.path.relpath(_real(place), _real(self.root)) for place in inside]
        return [place for place in found if place.is_dir()]

    def _astray(self, answer: ProbeAnswer, name: str, *, strict: bool) -> str | None:
        """Return where a name comes from when that is not the tree.

        `strict` is for what can be no accident: the checkout. Else an installed package counts
        too, though it may have nothing to do with the tree but its name.
        """
        for place in answer.found.get(name, [])[:1]:
            path = Path(place)
            if self._in_checkout(path) or (not strict and _FOREIGN & set(path.parts)):
                return place
        return None

    def _in_checkout(self, place: Path) -> bool:
        """Tell whether a place is in the user's checkout (or another worktree), not in this tree."""
        real = _real(place)
        if real.is_relative_to(_real(self.tree)) or _FOREIGN & set(real.parts):
            return False
        return real.is_relative_to(_real(self.root))

    def _problem(self, answer: ProbeAnswer, names: Iterable[str]) -> str | None:
        astray = [(name, self._astray(answer, name, strict=True)) for name in names]
        wrong = [f"{name} from {place}" for name, place in astray if place is not None]
        if not wrong:
            return None
        return (
            f"the worktree's code would not be tested: {self.python} imports {', '.join(wrong)} "
            "(an editable install?); give the worktree an environment of its own, for example "
            'with worktree.setup: ["python3 -m venv .venv", ".venv/bin/pip install -e ."] in '
            "config/pipeline.yaml"
        )


def tree_names(tree: Path) -> tuple[str, ...]:
    """Return the names of the importable code at a tree's top and in its `src`."""
    return tuple(dict.fromkeys((*top_level_names(tree / "src"), *top_level_names(tree))))


def python_of(executable: Path, env: Mapping[str, str]) -> Path | None:
    """Return the interpreter that runs a command: itself, its first line's, or its neighbour."""
    if executable.name.startswith("python"):
        return executable
    named = _interpreter(executable, env)
    if named is not None:
        return named
    neighbour = executable.parent / "python"
    return neighbour if neighbour.exists() else find_executable("python3", env)


def _interpreter(script: Path, env: Mapping[str, str]) -> Path | None:
    """Read the interpreter from a script's first line, None when it names no Python."""
    try:
        with script.open("rb") as stream:
            head = stream.read(512).split(b"\n", 1)[0]
    except OSError:
        return None
    match = re.fullmatch(rb"#!\s*(\S+)(?:\s+(\S+))?.*", head)
    if match is None:
        return None
    parts = [os.fsdecode(part) for part in match.groups() if part]
    if PurePath(parts[0]).name == "env" and len(parts) > 1:
        return find_executable(parts[1], env) if parts[1].startswith("python") else None
    return Path(parts[0]) if PurePath(parts[0]).name.startswith("python") else None


def _stamps(python: Path) -> tuple[float, ...]:
    """Return when the packages beside an interpreter last changed: installs touch these folders."""
    libraries = sorted(python.parent.parent.glob("lib*/python3*/site-packages"))
    stamps: list[float] = []
    for place in (python, *libraries):
        try:
            stamps.append(place.stat().st_mtime)
        except OSError:
            stamps.append(0.0)
    return tuple(stamps)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
