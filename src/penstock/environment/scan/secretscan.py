"""A whole scan for secrets: its sources one after the other, the baseline, the report."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from penstock.config.fingerprints import (
    key_for,
    load_baseline,
    write_baseline,
)
from penstock.environment.scan.crew import Share, look_together, parts_of
from penstock.environment.scan.gitblobs import Git, brought_by, commits_of, staged
from penstock.environment.scan.secrets import Looker, Tally, Told, against
from penstock.environment.scan.secretsources import (
    evidence_files,
    file_texts,
    files_below,
    object_texts,
    tracked_files,
    values_of,
)
from penstock.environment.scan.texts import Text
from penstock.errors import UsageError
from penstock.leaks.baseline import KEY_BYTES, NAME, Baseline, encode, key_id, updated
from penstock.leaks.found import SecretReport, Source
from penstock.leaks.match import LeakFinder
from penstock.leaks.rule import Level
from penstock.typed import typed


class SecretScan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be looked through.

    `paths` (relative to the top, with forward slashes) narrow the tree, what is staged and the
    history down; `revisions` the history. `baseline` None: no baseline counts. `share_key` gives the
    baseline a key of its own, for machines that have no other.
    """

    sources: tuple[Source, ...] = (Source.TREE,)
    paths: tuple[str, ...] = ()
    revisions: tuple[str, ...] = ()
    level: Level = "default"
    baseline: Path | None = None
    share_key: bool = False


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where the sources are.

    `top` is the tree; `git` None where it is in no repository, `index` the index file of a hook.
    `logs` and `trail` are folders, of which those of `private` hold keys on purpose.
    """

    top: Path
    git: Git | None
    index: str | None = None
    logs: tuple[Path, ...] = ()
    trail: Path | None = None
    private: tuple[Path, ...] = ()


def request_of(
    places: Places,
    start: Path,
    sources: Sequence[str],
    paths: Sequence[str],
    *,
    revisions: Sequence[str],
    level: str,
    baseline: str | None,
    use_baseline: bool,
    share_key: bool,
) -> SecretScan:
    """Return a request in words as a value; `paths` and `baseline` are from `start`.

    Raises UsageError for a path that is not there or outside of the tree, and for what is no source
    or level.
    """
    given = places.top / NAME if baseline is None else start / baseline
    try:
        return typed(
            {
                "sources": tuple(dict.fromkeys(sources)),
                "paths": tuple(_from_top(places.top, start, path) for path in paths),
                "revisions": tuple(revisions),
                "level": level,
                "baseline": os.fspath(given) if use_baseline else None,
                "share_key": share_key,
            },
            SecretScan,
            dec_hook=lambda kind, value: kind(value),
        )
    except msgspec.ValidationError as error:
        raise UsageError(f"this cannot be scanned: {error}") from error


def _from_top(top: Path, start: Path, path: str) -> str:
    """Return a path from the top of the tree. Raises UsageError."""
    place = Path(os.path.normpath(start / path))
    if not os.path.lexists(place):
        raise UsageError(f"there is no {path}", hint="name files or folders of this tree")
    if not place.is_relative_to(top):
        raise UsageError(
            f"{path} lies outside of {top}", hint="change to its folder, then: aim scan secrets"
        )
    return place.relative_to(top).as_posix()


class Scan:
    """One scan. Raises UsageError for a source that needs a repository where there is none, ConfigError
    for a baseline that cannot be used, GitError, EnvironmentProblem."""

    def __init__(self, request: SecretScan, places: Places, told: Told | None = None) -> None:
        self._request = request
        self._places = places
        self._tally = Tally(told)
        self._baseline = self._before(request)

    @staticmethod
    def _before(request: SecretScan) -> Baseline | None:
        """Return the baseline; one that gets a key of its own begins anew, for what it knew was told by
        another key."""
        found = None if request.baseline is None else load_baseline(request.baseline)
        if request.share_key and (found is None or found.key is None):
            key = secrets.token_bytes(KEY_BYTES)
            return Baseline(key_id=key_id(key), key=key)
        return found

    @cached_property
    def key(self) -> bytes:
        """The key of the fingerprints."""
        return key_for(self._baseline)

    @cached_property
    def _looker(self) -> Looker:
        return Looker(LeakFinder(level=self._request.level), lambda: self.key)

    def report(self) -> SecretReport:
        """Look through everything and return what was found."""
        began = time.monotonic()
        request, tally = self._request, self._tally
        for source in request.sources:
            self._look(source)
        findings, known = against(tally.sorted(), self._baseline)
        return SecretReport(
            sources=request.sources,
            level=request.level,
            findings=findings,
            known=known,
            allowed=tally.allowed,
            files=tally.files,
            size_bytes=tally.size_bytes,
            skipped=tuple(tally.skipped),
            duration_s=round(time.monotonic() - began, 3),
        )

    def _look(self, source: Source) -> None:
        values = values_of(self._git(source), self._looker) if self._is_diff(source) else None
        if source is not Source.TREE:
            return self._looker.look(self._texts(source), self._tally, values)
        top, level = self._places.top, self._request.level
        parts = parts_of(top, self._tree_files())
        if len(parts) == 1:
            texts = file_texts(source, top, parts[0], self._tally)
            return self._looker.look(texts, self._tally)
        shares = [Share(top=str(top), names=part, level=level, key=self.key) for part in parts]
        return look_together(shares, self._tally)

    def _is_diff(self, source: Source) -> bool:
        """Tell whether only what is added counts: staged changes, and a part of the history."""
        return source is Source.STAGED or (
            source is Source.HISTORY and bool(self._request.revisions)
        )

    def _texts(self, source: Source) -> Iterator[Text]:
        if source in (Source.STAGED, Source.HISTORY):
            return self._objects(source)
        return self._evidence(source)

    def _tree_files(self) -> list[str]:
        """Return the files of the tree; a file that is named counts whatever git ignores."""
        top, paths = self._places.top, self._request.paths
        named = [path for path in paths if (top / path).is_file()]
        folders = [path for path in paths if path not in named]
        if paths and not folders:
            return named
        if self._places.git is not None:
            listed = tracked_files(self._places.git, folders)
        else:
            listed = [n for f in folders or ["."] for n in _below(top, f)]
        return list(dict.fromkeys((*named, *listed)))

    def _objects(self, source: Source) -> Iterator[Text]:
        git, request = self._git(source), self._request
        if source is Source.STAGED:
            brought = staged(git, self._places.index)
            if request.paths:
                brought = [one for one in brought if _is_below(one.path, request.paths)]
        else:
            literal = tuple(f":(literal){path}" for path in request.paths)
            commits = commits_of(git, request.revisions, literal)
            brought = list(brought_by(git, commits, literal))
        once = not self._is_diff(source)
        return object_texts(git, source, brought, self._tally, once=once)

    def _evidence(self, source: Source) -> Iterator[Text]:
        places = self._places
        folders = places.logs
        if source is Source.AUDIT:
            folders = () if places.trail is None else (places.trail,)
        names = evidence_files(places.top, folders, places.private)
        return file_texts(source, places.top, names, self._tally, binary=True)

    def _git(self, source: Source) -> Git:
        if self._places.git is None:
            raise UsageError(
                f"--{source.value} needs a git repository, and {self._places.top} is in none",
                hint="scan the files instead: aim scan secrets",
            )
        return self._places.git

    def update_baseline(self, report: SecretReport) -> int:
        """Write what was found as the baseline and return how many entries it has.

        Of what was not looked through it knows what it knew. Raises UsageError, EnvironmentProblem.
        """
        path = self._request.baseline
        if path is None:
            raise UsageError("there is no baseline to be updated", hint="leave --no-baseline out")
        before = self._baseline or Baseline(key_id=key_id(self.key))
        entries = updated(
            before.entries,
            (*report.findings, *report.known),
            sources={source for source in report.sources if not self._is_diff(source)},
            is_scanned=lambda name: _is_below(name, self._request.paths or ("",)),
        )
        write_baseline(path, encode(msgspec.structs.replace(before, entries=entries)))
        return len(entries)


def _below(top: Path, folder: str) -> Iterator[str]:
    prefix = "" if folder in ("", ".") else f"{folder.rstrip('/')}/"
    return (prefix + name for name in files_below(top / folder))


def _is_below(path: str, wanted: tuple[str, ...]) -> bool:
    return any(
        path == one or one in ("", ".") or path.startswith(f"{one.rstrip('/')}/") for one in wanted
    )
