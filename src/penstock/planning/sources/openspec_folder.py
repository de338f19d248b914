"""The files of an OpenSpec change: which there are, which the openspec program reads, which not."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from penstock.planning.files import UnreadableError
from penstock.planning.sources.frontmatter import yaml_mapping
from penstock.planning.sources.noting import Notes
from penstock.planning.sources.openspec_deltas import has_delta_section
from penstock.planning.sources.recognise import display_name
from penstock.planning.sources.text import SourceFile, read_file

DEFAULT_SCHEMA: Final = "spec-driven"
METADATA: Final = ".openspec.yaml"
TASKS: Final = "tasks.md"
SPEC: Final = "spec.md"
ARCHIVE: Final = "archive"
_MAX_FILES: Final = 5000


class Change:
    """The folder of a change. Files are read once; what cannot be read is noted.

    `files` are the SHA-256 of all that was read, by name.
    """

    def __init__(self, path: Path, root: Path, notes: Notes) -> None:
        self.path = path
        self.notes = notes
        self.files: dict[str, str] = {}
        self._root = root
        self._within = root if path.is_relative_to(root) else path

    @property
    def id(self) -> str:
        """The id: the name of the folder."""
        return self.path.name

    @property
    def name(self) -> str:
        """The folder as people name it."""
        return display_name(self.path, self._root)

    @cached_property
    def openspec(self) -> Path:
        """The `openspec` folder that the change belongs to; its own folder when it is in none."""
        above = self.path.parent
        if above.name == ARCHIVE:
            above = above.parent
        return above.parent if above.name == "changes" else self.path

    @property
    def archived(self) -> bool:
        """Whether the change was archived."""
        return self.path.parent.name == ARCHIVE and self.path.parent.parent.name == "changes"

    def named(self, path: Path) -> str:
        """Return a path as people name it."""
        return display_name(path, self._root)

    def is_folder(self, name: str) -> bool:
        """Whether a path of the repository is a folder."""
        return (self._root / name).is_dir()

    # -- reading -----------------------------------------------------------------------------------
    def read(self, path: Path) -> SourceFile | None:
        """Return a file, None when there is none or when it cannot be read, which is noted."""
        if not os.path.lexists(path):
            return None
        name = self.named(path)
        try:
            file = read_file(path, name, within=self._within)
        except UnreadableError as error:
            self.notes.error("unreadable", f"{name} {error}", None)
            return None
        if name not in self.files:
            self.files[name] = file.sha256
            self.notes.extend(file.notices)
        return file

    @cached_property
    def metadata(self) -> tuple[SourceFile, dict[str, Any], tuple[str, ...]] | None:
        """The `.openspec.yaml`, what it holds, and the codes of what is odd; None without one."""
        file = self.read(self.path / METADATA)
        if file is None:
            return None
        values, odd = yaml_mapping(file)
        self.notes.extend(odd)
        return file, values, tuple(notice.code for notice in odd)

    # -- specs -------------------------------------------------------------------------------------
    @cached_property
    def inside_specs(self) -> tuple[tuple[str, ...], ...]:
        """The files below `specs`, as the parts of their paths; hidden ones are left out."""
        found: list[tuple[str, ...]] = []
        top = self.path / "specs"
        for folder, folders, names in os.walk(top):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            parts = Path(folder).relative_to(top).parts
            found += [(*parts, name) for name in names if not name.startswith(".")]
            linked = [name for name in folders if (Path(folder) / name).is_symlink()]
            found += [(*parts, name) for name in linked]
            if len(found) > _MAX_FILES:
                text = f"more than {_MAX_FILES} files below specs; the others are not read"
                self.notes.error("too-many-files", text, None)
                break
        return tuple(sorted(found[:_MAX_FILES]))

    @cached_property
    def specs(self) -> tuple[tuple[str, SourceFile], ...]:
        """The delta specs: the path of each capability, and its file, sorted."""
        read = ((parts, self._spec(parts)) for parts in self._spec_paths())
        return tuple(sorted(("/".join(parts[:-1]), file) for parts, file in read if file))

    def _spec_paths(self) -> Iterator[tuple[str, ...]]:
        return (parts for parts in self.inside_specs if len(parts) > 1 and parts[-1] == SPEC)

    def _spec(self, parts: tuple[str, ...]) -> SourceFile | None:
        path = self.path.joinpath("specs", *parts)
        return self.read(path) if path.is_file() else None

    @property
    def root_spec(self) -> Path | None:
        """A spec.md that belongs to no capability."""
        path = self.path / "specs" / SPEC
        return path if path.is_file() else None

    def unread_deltas(self) -> Iterator[SourceFile]:
        """Yield the files with deltas that the program does not read: those not called spec.md."""
        for parts in self.inside_specs:
            path = self.path.joinpath("specs", *parts)
            if parts[-1] == SPEC or not parts[-1].lower().endswith(".md") or not path.is_file():
                continue
            file = self.read(path)
            if file is not None and has_delta_section(file):
                yield file

    def main_spec(self, capability: str) -> SourceFile | None:
        """Return the current spec of a capability; without one, None."""
        path = self.openspec / "specs" / capability / SPEC
        return self.read(path) if path.is_file() else None

    # -- schemas and tasks -------------------------------------------------------------------------
    @cached_property
    def schema(self) -> str:
        """The schema: that of `.openspec.yaml`, else of `openspec/config.yaml`, else the default."""
        stated = self.metadata[1].get("schema") if self.metadata else None
        if not isinstance(stated, str):
            stated = self._config().get("schema")
        return stated if isinstance(stated, str) and stated else DEFAULT_SCHEMA

    def _config(self) -> dict[str, Any]:
        for name in ("config.yaml", "config.yml"):
            file = self.read(self.openspec / name) if self.openspec != self.path else None
            if file is not None:
                return yaml_mapping(file)[0]
        return {}

    def knows_schema(self, name: str) -> bool:
        """Whether a schema is the default one or one of the repository's own."""
        own = self.openspec / "schemas" / name / "schema.yaml"
        plain = Path(name).name == name
        return name == DEFAULT_SCHEMA or (plain and own.is_file())

    @cached_property
    def built_in(self) -> bool:
        """Whether the schema is the default one, not one of the repository with its name."""
        own = self.openspec / "schemas" / DEFAULT_SCHEMA / "schema.yaml"
        return self.schema == DEFAULT_SCHEMA and not own.is_file()

    @cached_property
    def tasks(self) -> tuple[SourceFile, ...]:
        """The files with tasks that the schema names; tasks.md when it names none that is there."""
        paths = sorted(self._tracked(), key=str) or [self.path / TASKS]
        return tuple(file for path in paths if (file := self.read(path)))

    def _tracked(self) -> Iterator[Path]:
        """Yield the files that match the pattern of the schema for tasks."""
        if self.built_in or not self.knows_schema(self.schema):
            return
        file = self.read(self.openspec / "schemas" / self.schema / "schema.yaml")
        pattern = _tracked_pattern(yaml_mapping(file)[0]) if file else None
        if pattern is None:
            return
        for folder, folders, names in os.walk(self.path):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(folder) / name
                if _matches(path.relative_to(self.path).as_posix(), pattern):
                    yield path


def _tracked_pattern(schema: dict[str, Any]) -> str | None:
    """Return the pattern of the files whose boxes a schema tracks."""
    apply, artifacts = schema.get("apply"), schema.get("artifacts")
    tracks = apply.get("tracks") if isinstance(apply, dict) else None
    if isinstance(tracks, str):
        return tracks
    listed = artifacts if isinstance(artifacts, list) else []
    own = (a for a in listed if isinstance(a, dict) and a.get("id") == "tasks")
    generates = next(own, {}).get("generates")
    return generates if isinstance(generates, str) else None


def _matches(path: str, pattern: str) -> bool:
    """Whether a path matches a pattern in which `**/` means any folders, or none."""
    if pattern.startswith("**/") and fnmatch.fnmatchcase(path, pattern.removeprefix("**/")):
        return "/" not in path or fnmatch.fnmatchcase(path, pattern)
    return fnmatch.fnmatchcase(path, pattern) and ("**" in pattern or _same_depth(path, pattern))


def _same_depth(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/")
