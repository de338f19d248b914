"""Composition: the one file that names the concrete classes of the edges.

Everything is imported where it is used, because a command that only reads the journal must not
pay for git, checks or tools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from penstock.errors import RepositoryError

if TYPE_CHECKING:
    import sqlite3

    from penstock.environment.repository import Place
    from penstock.model.bundle import Bundle
    from penstock.model.records import Attempt, Event
    from penstock.model.results import RunResult
    from penstock.model.settings import PipelineSettings, ToolProfile
    from penstock.planning.api import ValidationReport
    from penstock.store.api import DocumentedJournal, Journal


class Workspace:
    """A repository with its settings, journal, tools and checks, each opened when first used.

    Use it as a context manager, or call `close`.
    """

    def __init__(self, start: Path, *, db: str | None = None) -> None:
        self.start = start.resolve()
        self._db = db
        self._opened = ExitStack()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the databases that were opened."""
        self._opened.close()

    # -- the place -------------------------------------------------------------------------
    @cached_property
    def place(self) -> Place | None:
        """The checkout we stand in, None outside of any."""
        from penstock.environment.repository import find_place

        return find_place(self.start)

    @property
    def root(self) -> Path:
        """The top of the checkout, or the starting folder outside of any."""
        return self.place.root if self.place is not None else self.start

    def need_repository(self) -> Place:
        """Return the checkout. Raises RepositoryError outside of any."""
        if self.place is None:
            raise RepositoryError(
                f"{self.start} is not inside a git repository",
                hint="Change to your repository, or make one with `git init` and a first commit.",
            )
        return self.place

    # -- settings --------------------------------------------------------------------------
    @cached_property
    def settings(self) -> PipelineSettings:
        """What config/pipeline.yaml says. Raises ConfigError."""
        from penstock.config.pipeline import load_pipeline

        return load_pipeline(self.root, option_db=self._db).settings

    @cached_property
    def database(self) -> Path:
        """Where the journal lies: option, environment, config, default."""
        from penstock.config.places import database_path

        return database_path(self.root, self.settings, self._db)

    def bundle_directory(self, option: str | None = None) -> Path:
        """Return where the bundles lie: option, environment, `workstreams/`."""
        from penstock.config.places import bundle_directory

        return bundle_directory(self.root, option)

    @cached_property
    def profiles(self) -> Mapping[str, ToolProfile]:
        """The tool profiles, packaged ones included."""
        from penstock.config.profiles import load_tool_profiles

        return load_tool_profiles(self.root)

    # -- the edges -------------------------------------------------------------------------
    def open_journal(
        self, *, create: bool = True, on_event: Callable[[Event], None] | None = None
    ) -> DocumentedJournal:
        """Open the journal for writing; it is closed with the workspace."""
        from penstock.store.sqlite import open_journal

        journal = open_journal(
            self.database,
            durability=self.settings.durability,
            on_event=on_event,
            create=create,
        )
        self._opened.callback(journal.close)
        return journal

    @cached_property
    def reader(self) -> Journal:
        """The journal for reading. Where there is none yet, an empty one in memory.

        Raises RepositoryError outside of a repository without a database.
        """
        if self.database.exists():
            return self.existing_journal()
        from penstock.store.sqlite import open_journal

        self.need_repository()
        journal = open_journal(None)
        self._opened.callback(journal.close)
        return journal

    # -- bundles ---------------------------------------------------------------------------
    def load_bundles(
        self, paths: Sequence[Path] = (), *, directory: str | None = None
    ) -> ValidationReport:
        """Read and validate bundles: those of `paths` (files or folders, from the current folder),
        else all of the folder of bundles, `directory` being the value of `--dir`.
        """
        from penstock.planning.load import load_bundles

        return load_bundles(tuple(paths), self.bundle_directory(directory))

    def sync_bundles(self, run_id: str, bundles: Sequence[Bundle]) -> None:
        """Enter bundles into a run as pending; the run is made when there is none of that id.

        Raises UsageError when the run has ended.
        """
        from penstock.engine.selection import enter_bundles

        enter_bundles(self.open_journal(), run_id, bundles)

    # -- the journal's database ------------------------------------------------------------
    def connection(self) -> sqlite3.Connection:
        """A plain connection of the caller's own to the journal's database, made when missing."""
        from penstock.store.sqlite import connect

        return connect(self.database)

    def init_database(self, schema: str | None = None) -> int:
        """Create the database or bring it up to date; return its schema's version.

        `schema` is the value of `--schema`. Raises JournalError, ConfigError.
        """
        from penstock.config.places import schema_path
        from penstock.store.migrations import init_db

        init_db(self.database, schema_path(self.root, schema))
        return self.existing_journal().schema_version()

    def migrate_database(self) -> tuple[int, int]:
        """Bring the database up to date; return its version before and after."""
        from penstock.store.migrations import migrate

        return migrate(self.database)

    def existing_journal(self) -> Journal:
        """Return the journal for reading. Raises JournalError where there is none."""
        from penstock.store.sqlite import open_journal

        journal = open_journal(self.database, create=False, read_only=True)
        self._opened.callback(journal.close)
        return journal

    # -- runs ------------------------------------------------------------------------------
    def result(self, run_id: str) -> RunResult:
        """Return the result of a run from the journal. Raises NotFoundError."""
        from penstock.engine.report import run_result

        return run_result(self.reader, run_id)

    def log_path(self, attempt: Attempt) -> Path:
        """Return where the log of an attempt lies."""
        from penstock.engine.evidence import FileEvidence

        return FileEvidence(self.root).log(
            attempt.run_id, attempt.ws_id, attempt.step_name, attempt.attempt
        )


def open_workspace(start: Path | None = None, *, db: str | None = None) -> Workspace:
    """Return the workspace of the checkout that `start` (default: the current folder) lies in.

    `db` is the value of `--db`.
    """
    return Workspace(start or Path.cwd(), db=db)
