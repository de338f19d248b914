"""The pipeline's own files: `.state/error_pipeline/<run>/<ws>/`.

context.json              the context as the journal has it
error_reports/            error_report_attempt_<label>.json, one for each check
attempts/<label>/         prompt and log of an AI attempt; while it is under way, the files as they were
original/                 the files as the pipeline found them
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

import msgspec

from penstock.engine.evidence import private_folder, write_private
from penstock.errors import EnvironmentProblem
from penstock.folders import remove_tree
from penstock.model.error_report import AttemptReport
from penstock.model.escalation import EscalationContext
from penstock.typed import typed_json

_SAVED, _MADE = "saved.json", "made.json"
_SCRATCH = ".penstock"


class SavedFile(msgspec.Struct, frozen=True):
    """One file as it was: its permissions, None for one that was not there."""

    path: str
    mode: int | None


class Cabinet:
    """The folder of one pipeline. Everything raises EnvironmentProblem when the disk is full or a
    folder cannot be written."""

    def __init__(self, reports: Path, run_id: str, ws_id: str) -> None:
        self.folder = reports / run_id / ws_id

    def attempt(self, label: str) -> Path:
        """Return the folder of an AI attempt."""
        return self.folder / "attempts" / label

    @property
    def original(self) -> Path:
        """The folder with the files as the pipeline found them."""
        return self.folder / "original"

    def report_file(self, label: str) -> Path:
        """Return the file of a report."""
        return self.folder / "error_reports" / f"error_report_attempt_{label}.json"

    def report_files(self) -> list[Path]:
        """Return the files of all reports, sorted."""
        return sorted((self.folder / "error_reports").glob("error_report_attempt_*.json"))

    def write_report(self, report: AttemptReport) -> Path:
        """Keep a report."""
        return write_private(self.report_file(report.attempt), pretty(report))

    def write_context(self, context: EscalationContext) -> Path:
        """Keep the context, for people: the journal's is the one that counts."""
        return write_private(self.folder / "context.json", pretty(context))

    def set_aside(self) -> None:
        """Make room for a pipeline that begins again; what was there goes to `<ws>.earlier-<n>`."""
        number = 1
        while (place := Path(f"{self.folder}.earlier-{number}")).exists():
            number += 1
        if self.folder.exists():
            self.folder.rename(place)

    # -- files as they were ----------------------------------------------------------------
    def save(self, folder: Path, tree: Path, paths: Iterable[str]) -> None:
        """Keep files of a tree in a folder as they are now; those kept there already stay.

        The list of them is written last and whole, so that a copy which was cut short is not used.
        """
        known = {saved.path: saved for saved in self._saved(folder)}
        with _saving(folder):
            for path in paths:
                if path not in known:
                    known[path] = _copy_in(tree / path, folder / "files" / path, path)
        write_private(folder / _SAVED, msgspec.json.encode(list(known.values())))

    def announce(self, folder: Path, contents: Mapping[str, bytes | None]) -> None:
        """Keep what files of a tree are about to become, for `restore` to know it again."""
        write_private(
            folder / _MADE, msgspec.json.encode({p: _mark(c) for p, c in contents.items()})
        )

    def restore(self, folder: Path, tree: Path) -> tuple[str, ...]:
        """Bring back, each whole or not at all, the files that are by now what `announce` said, and
        return them: what somebody else has made of one stays."""
        changed, made = [], self._made(folder)
        for saved in self._saved(folder):
            _clear_scratch(tree / saved.path)
            now, kept = content(tree / saved.path), self.saved_content(folder, saved.path)
            if now == kept or made.get(saved.path, "") != _mark(now):
                continue
            changed.append(saved.path)
            if saved.mode is None or kept is None:
                (tree / saved.path).unlink(missing_ok=True)
            else:
                put(tree / saved.path, kept, saved.mode)
        return tuple(changed)

    def saved_content(self, folder: Path, path: str) -> bytes | None:
        """Return a kept file as it was, None for one that was not there or is not kept."""
        return content(folder / "files" / path)

    def forget(self, folder: Path) -> None:
        """Remove the kept files of an attempt that was settled; prompt and log stay."""
        for name in (_SAVED, _MADE):
            (folder / name).unlink(missing_ok=True)
        remove_tree(folder / "files")

    def _saved(self, folder: Path) -> list[SavedFile]:
        try:
            return typed_json((folder / _SAVED).read_bytes(), list[SavedFile])
        except FileNotFoundError:
            return []

    def _made(self, folder: Path) -> dict[str, str | None]:
        try:
            return typed_json((folder / _MADE).read_bytes(), dict[str, str | None])
        except FileNotFoundError:
            return {}


def _mark(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


def pretty(value: object) -> bytes:
    """Return a value as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def content(path: Path) -> bytes | None:
    """Return what a regular file holds, None when there is none or it cannot be read."""
    try:
        return path.read_bytes() if stat.S_ISREG(path.stat().st_mode) else None
    except OSError:
        return None


def _copy_in(source: Path, target: Path, path: str) -> SavedFile:
    try:
        mode = source.stat().st_mode
    except FileNotFoundError:
        return SavedFile(path, None)
    private_folder(target.parent)
    target.unlink(missing_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o600)
    return SavedFile(path, stat.S_IMODE(mode))


def put(path: Path, data: bytes, mode: int | None) -> None:
    """Replace a file, or the target of a link, by one whole step; `mode` None is that of the file
    that is there, else the usual one. Raises EnvironmentProblem."""
    target = Path(os.path.realpath(path))
    scratch = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_SCRATCH}")
    with _saving(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(scratch, data, _mode_of(target) if mode is None else mode)
            scratch.replace(target)
        finally:
            with suppress(FileNotFoundError):
                scratch.unlink()


def _write(path: Path, data: bytes, mode: int | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o666 if mode is None else 0o600), "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    if mode is not None:
        path.chmod(mode)


def _mode_of(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


def _clear_scratch(path: Path) -> None:
    """Remove what a `put` that was killed left beside a file."""
    target = Path(os.path.realpath(path))
    for left in target.parent.glob(f".{escape(target.name)}.????????{_SCRATCH}"):
        left.unlink(missing_ok=True)


@contextmanager
def _saving(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot write {error.filename or place}: {error.strerror or error}",
            hint="free disk space or mend the permissions, then tick again",
        ) from error
