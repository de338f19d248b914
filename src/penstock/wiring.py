"""What can be done in a repository, put together from the engine and the edges.

Everything is imported where it is used, because a command that only reads the journal must not
pay for git, checks or tools. Beside this file only assembly and surroundings name concrete classes
of the edges.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.authoring.authoring import Authoring
from penstock.driving import Driving
from penstock.errors import RepositoryError
from penstock.examining.examining import Examining
from penstock.indexing import Indexing
from penstock.inspecting import Inspecting
from penstock.installing import Installing
from penstock.keeping import Keeping
from penstock.linking import Linking
from penstock.migrating import Migrating
from penstock.refining.refining import Refining
from penstock.scanning import Scanning
from penstock.syncing.syncing import Syncing
from penstock.vetting import Vetting

if TYPE_CHECKING:
    import sqlite3

    from penstock.engine.calls import CallResult
    from penstock.engine.clean import Cleaner, CleanPlan
    from penstock.engine.escalation.pipeline import Pipeline
    from penstock.engine.ports import PlannedWorkstream, RunRequest
    from penstock.environment.api import InitReport
    from penstock.model.figures import DiffStat
    from penstock.model.records import Attempt, Workstream
    from penstock.model.results import RunResult
    from penstock.model.settings import ToolProfile
    from penstock.process.api import Stop
    from penstock.store.salvage import Salvaged
    from penstock.store.soundness import Soundness
    from penstock.tools.api import ToolResult


KEY_FILES = (
    "workstreams",
    "config/pipeline.yaml",
    "config/circuit_breakers.yaml",
    "config/tool_profiles.json",
    ".worktreeinclude",
)


class Workspace(
    Authoring,
    Driving,
    Examining,
    Indexing,
    Inspecting,
    Scanning,
    Installing,
    Migrating,
    Keeping,
    Linking,
    Refining,
    Syncing,
    Vetting,
):
    """All that can be done in a repository: what the commands and the Python API call.

    Use it as a context manager, or call `close`.
    """

    # -- the repository --------------------------------------------------------------------
    def initialise(self, *, check: bool = False) -> InitReport:
        """Prepare the repository, or with `check` only say what it lacks.

        Raises RepositoryError outside of a repository, UsageError when it tracks files in a
        folder that we would hide.
        """
        from penstock.environment.api import InitReport
        from penstock.environment.detect import find_clis
        from penstock.environment.scaffold import scaffold
        from penstock.planning.example import EXAMPLE_FILE_NAME, example_bundle

        place = self.need_repository()
        self._refuse_tracked()
        pieces = scaffold(
            place.root,
            self.bundle_directory(),
            place.common_dir / "info" / "exclude",
            example=(EXAMPLE_FILE_NAME, example_bundle()),
            ours=self.own,
            check=check,
        )
        return InitReport(
            root=str(place.root), pieces=pieces, clis=find_clis(), problems=self._problems()
        )

    def _problems(self) -> tuple[str, ...]:
        """Return why no run could start in this repository, a line each."""
        try:
            self.repository.head()
        except RepositoryError as error:
            return (f"{error} ({error.hint})" if error.hint else str(error),)
        return ()

    # -- tools -----------------------------------------------------------------------------
    def profile(self, tool_id: str) -> ToolProfile:
        """Return a tool profile. Raises NotFoundError."""
        from penstock.config.profiles import get_tool_profile

        return get_tool_profile(tool_id, self.profiles)

    def render_command(self, tool_id: str, context: Mapping[str, object]) -> tuple[str, ...]:
        """Return the argv of a tool profile for a context. Raises NotFoundError, ConfigError."""
        from penstock.tools.run_tool import render_command

        return render_command(self.profile(tool_id), context)

    def run_tool(
        self, tool_id: str, context: Mapping[str, object], run_id: str | None, ws_id: str | None
    ) -> ToolResult:
        """Run a tool profile's command once. Raises NotFoundError, ConfigError, SecretsError."""
        from msgspec import structs

        from penstock.tools.run_tool import run_tool

        given = {"repo_root": self.root, "worktree_path": self.root, **context}
        profile, mask = self.profile(tool_id), self.redactor.prose
        with self.lender.turn(tool_id, run_id, ws_id):
            result = run_tool(profile, given, run_id, ws_id)
        said = {name: mask(getattr(result, name)) for name in ("command_line", "stdout", "stderr")}
        return structs.replace(result, **said)

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

    def check_database(self) -> Soundness:
        """Look through the database without changing it. Raises JournalError when there is none."""
        from penstock.store.soundness import check

        return check(self.database)

    def salvage_database(self, output: str) -> tuple[Salvaged, ...]:
        """Copy what can be read of the database into a fresh one, named from where we stand.

        Raises JournalError when nothing can be read, or `output` exists.
        """
        from penstock.store.salvage import salvage

        return salvage(self.database, self.start / output)

    def repository_overview(self) -> dict[str, Any]:
        """Return branches and worktrees of ours, and which key files there are."""
        files = {name: (self.root / name).exists() for name in KEY_FILES}
        place = self.database
        shown = place.relative_to(self.root) if place.is_relative_to(self.root) else place
        files[shown.as_posix()] = place.exists()
        return {**self.repository.overview(), "files": files}

    # -- runs ------------------------------------------------------------------------------
    def result(self, run_id: str) -> RunResult:
        """Return the result of a run from the journal. Raises NotFoundError."""
        from penstock.engine.report import run_result

        return run_result(self.reader, run_id)

    def is_worked_on(self, run_id: str) -> bool:
        """Tell whether a process holds a run and may still live; a run without one was interrupted,
        waits, or was never begun."""
        from penstock.process.identity import ProcessIdentity, is_alive

        owner = self.reader.run_owner(run_id)
        if owner is None:
            return False
        try:
            return is_alive(ProcessIdentity.from_dict(owner))
        except ValueError:  # written by another penstock: it cannot be told
            return True

    def log_path(self, attempt: Attempt) -> Path:
        """Return where the log of an attempt lies."""
        from penstock.engine.evidence import FileEvidence

        return FileEvidence(self.root, self.state_folder).log(
            attempt.run_id, attempt.ws_id, attempt.step_name, attempt.attempt
        )

    def diff(self, row: Workstream, *, stat: bool = False) -> str:
        """Return what a workstream has committed since its base, or a summary of it.

        Empty when it has committed nothing. Raises GitError when a commit is gone.
        """
        from penstock.worktrees.git import find_git

        base, head = row.base_commit, row.head_commit
        if base is None or head is None or base == head:
            return ""
        form = ("--stat",) if stat else ("-p", "--no-color")
        safe = ("--no-ext-diff", "--no-textconv")
        git = find_git(self.need_repository().root)
        found = git.run("diff-tree", "-r", "-M", *form, *safe, base, head, "--", reading=True)
        return found.decode("utf-8", "replace")

    def diff_stat(self, base: str | None, head: str | None) -> DiffStat | None:
        """Return the size of the diff between two commits, None when there are none or they are
        gone: the figures of a run outlive its branches."""
        from penstock.errors import GitError
        from penstock.worktrees.git import find_git
        from penstock.worktrees.numstat import diff_stat

        if base is None or head is None or self.place is None:
            return None
        try:
            return diff_stat(find_git(self.place.root), base, head)
        except GitError:
            return None

    def plan_cleaning(
        self, older_than_s: float, *, pool: bool = False, quarantine: bool = False
    ) -> CleanPlan:
        """Return what `clean` may remove, with `pool` idle worktrees too and with `quarantine` what
        was put aside; nothing is changed."""
        return self._cleaner().plan(
            older_than_s=older_than_s, now=time.time(), pool=pool, quarantine=quarantine
        )

    def clean(self, plan: CleanPlan) -> dict[str, str]:
        """Remove what is planned; return the paths that stay, each with the reason."""
        cleaner = self._cleaner()
        stays = {item.path: cleaner.remove(item) for item in plan.waste}
        return {path: why for path, why in stays.items() if why is not None}

    def _cleaner(self) -> Cleaner:
        from penstock.assembly import run_holder
        from penstock.engine.clean import Cleaner
        from penstock.environment.isolation import Isolation

        state = self.root / self.state_folder
        return Cleaner(
            self.reader,
            self.repository,
            state,
            hold=run_holder(state),
            leftovers=Isolation(self.root, state),
        )

    # -- the error pipeline ------------------------------------------------------------------
    @contextmanager
    def error_pipeline(
        self, run_id: str, ws_id: str, *, stop: Stop | None = None
    ) -> Iterator[Pipeline]:
        """Open the escalation pipeline of a workstream, or of files under other names.

        Raises RepositoryError outside of a repository, UsageError for ids that cannot name a
        folder, ConfigError.
        """
        from penstock.assembly import event_sink
        from penstock.driving import require_runnable
        from penstock.engine.escalation.pipeline import Pipeline
        from penstock.escalating import pipeline_edges

        require_runnable()
        parts = self._parts()
        self._hide()
        journal = self.open_journal(on_event=event_sink(parts.root, None, parts.trail))
        with self.inspector() as inspector:
            edges = pipeline_edges(parts, journal, inspector, lambda: self.repository, stop=stop)
            yield Pipeline(edges, run_id, ws_id)

    # -- calls outside of a run ------------------------------------------------------------
    def call_tool(
        self, tool_id: str, capability: str, payload: Mapping[str, Any], timeout_s: float | None
    ) -> CallResult:
        """Call one tool in the repository as it is. Raises NotFoundError for an unknown tool."""
        from penstock.assembly import make_caller

        self._hide()
        self.vet()
        _ = self.redactor
        caller = make_caller(self.toolbox, self.need_repository().root, self.state_folder)
        result = caller.call(tool_id, capability, payload, timeout_s)
        self._audit_call(result, capability, payload)
        return result

    def call_capability(
        self,
        capability: str,
        payload: Mapping[str, Any],
        timeout_s: float | None,
        *,
        run_id: str | None = None,
        ws_id: str | None = None,
    ) -> CallResult:
        """Call the tools of a capability until one succeeds.

        Raises AIMRegistryNotFoundError where AIM is off, AIMCapabilityNotFoundError.
        """
        from penstock.assembly import call_by_capability
        from penstock.errors import AIMRegistryNotFoundError

        parts = self._parts()
        if parts.aim is None:
            raise AIMRegistryNotFoundError("AIM unavailable, using direct invocation")
        self._hide()
        result = call_by_capability(parts, self.open_journal(), capability, payload, timeout_s)
        self._audit_call(result, capability, payload, run_id=run_id, ws_id=ws_id)
        return result

    def _audit_call(
        self,
        result: CallResult,
        capability: str,
        payload: Mapping[str, Any],
        *,
        run_id: str | None = None,
        ws_id: str | None = None,
    ) -> None:
        from penstock.engine.auditing import audit_call

        audit_call(self.trail, result, capability, payload, run_id=run_id, ws_id=ws_id)

    def dry_run_wanted(self) -> bool:
        """Tell whether the environment asks for dry runs (PIPELINE_DRY_RUN)."""
        from penstock.config.places import dry_run_wanted

        return dry_run_wanted()

    def dry_run(self, request: RunRequest) -> tuple[tuple[PlannedWorkstream, ...], RunResult]:
        """Return what a run would do, and write nothing."""
        from penstock.assembly import dry_run

        return dry_run(self._parts(dry=True), request)


def open_workspace(
    start: Path | None = None,
    *,
    db: str | None = None,
    settings: Mapping[str, tuple[str, ...]] | None = None,
) -> Workspace:
    """Return the workspace of the checkout that `start` (default: the current folder) lies in.

    `db` is the value of `--db`; `settings` replaces keys of config/pipeline.yaml.
    """
    return Workspace(start or Path.cwd(), db=db, settings=settings)


def create_repository(folder: Path, message: str) -> None:
    """Make a folder a git repository with one commit of all that lies in it. Raises GitError."""
    from penstock.worktrees.creation import create_repository as create

    create(folder, message)


def lend_environment(folder: Path) -> Path:
    """Make `folder/.venv` with our own ruff and pytest in it. Raises ToolMissingError."""
    from penstock.environment.demo_venv import lend_environment as lend

    return lend(folder)
