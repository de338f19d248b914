"""A repository with its settings and edges, each opened when it is first used.

Everything is imported where it is used, because a command that only reads the journal must not
pay for git, checks or tools.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from penstock.errors import AIMRegistryNotFoundError, PenstockError, RepositoryError
from penstock.masking import look_around

if TYPE_CHECKING:
    from penstock.audit.api import AuditTrail
    from penstock.checks.api import Checks
    from penstock.environment.repository import Place
    from penstock.environment.scaffold import Own
    from penstock.model.bundle import Bundle
    from penstock.model.records import Event
    from penstock.model.settings import PipelineSettings, ToolProfile
    from penstock.planning.api import ValidationReport
    from penstock.redact.redactor import Redactor
    from penstock.registry.api import AimSettings, Registry
    from penstock.store.api import DocumentedJournal, Journal
    from penstock.tools.api import Toolbox
    from penstock.tools.external import ExternalAdapter
    from penstock.toolside import ToolSide
    from penstock.vault.api import Vault
    from penstock.vault.lending import Lender
    from penstock.worktrees.api import Repository


class Surroundings:
    """A repository with its settings, journal, tools and checks, each opened when first used.

    `db` is the value of `--db`; `settings` replaces keys of config/pipeline.yaml. Use it as a
    context manager, or call `close`.
    """

    def __init__(
        self,
        start: Path,
        *,
        db: str | None = None,
        settings: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        look_around()
        self.start = start.resolve()
        self._db = db
        self._overrides = dict(settings or {})
        self._opened = ExitStack()

    def __enter__(self) -> Self:
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

    @cached_property
    def own(self) -> Own:
        """What is ours in the repository."""
        from penstock.environment.scaffold import own

        return own(self.root, self.database)

    @property
    def state_folder(self) -> str:
        """The folder of the journal and its evidence, relative to the top; `state` by default."""
        return self.own.folders[0]

    def _refuse_tracked(self) -> None:
        """Raise UsageError when the repository tracks a path that is ours."""
        from penstock.environment.scaffold import refuse_tracked
        from penstock.worktrees.git import find_git, split_z

        git = find_git(self.root)
        literal = {"GIT_LITERAL_PATHSPECS": "1"}
        listed = git.run("ls-files", "-z", "--", *self.own.paths, reading=True, env=literal)
        refuse_tracked(split_z(listed), self.own)

    def _hide(self) -> None:
        """See that git does not show what is ours: no run starts without that."""
        from penstock.environment.scaffold import hide, missing_patterns

        exclude = self.need_repository().common_dir / "info" / "exclude"
        if missing_patterns(exclude, self.own):
            self._refuse_tracked()
            hide(exclude, self.own)

    # -- settings --------------------------------------------------------------------------
    @cached_property
    def settings(self) -> PipelineSettings:
        """What config/pipeline.yaml says. Raises ConfigError."""
        from msgspec import structs

        from penstock.config.pipeline import load_pipeline

        loaded = load_pipeline(self.root, option_db=self._db).settings
        return structs.replace(loaded, **self._overrides)

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

    # -- bundles ---------------------------------------------------------------------------
    def load_bundles(
        self, paths: Sequence[Path] = (), *, directory: str | None = None
    ) -> ValidationReport:
        """Read and validate bundles: those of `paths` (files or folders, from the current folder),
        else all of the folder of bundles, `directory` being the value of `--dir`.
        """
        from penstock.planning.load import load_bundles

        folder = self.bundle_directory(directory)
        here = Path.cwd()  # files are named as one would name them from here
        shown = folder.relative_to(here) if folder.is_relative_to(here) else folder
        found = load_bundles(tuple(paths), shown, known_capabilities=self.capabilities)
        return self._tolerated(found)

    def judge_bundles(self, objects: Sequence[Mapping[str, Any]]) -> ValidationReport:
        """Validate bundles that are given as decoded objects; they may depend on the folder's."""
        from penstock.planning.load import judge_bundles

        known = self.capabilities
        found = judge_bundles(objects, self.bundle_directory(), known_capabilities=known)
        return self._tolerated(found)

    def _tolerated(self, report: ValidationReport) -> ValidationReport:
        """Leave overlaps out of a report where `overlap_policy` lets bundles overlap."""
        from msgspec import structs

        from penstock.model.settings import OverlapPolicy
        from penstock.planning.api import ProblemType

        errors = tuple(found for found in report.errors if found.type is not ProblemType.OVERLAP)
        if len(errors) == len(report.errors):
            return report  # without an overlap the settings need not even be readable
        if self.settings.overlap_policy is OverlapPolicy.REFUSE:
            return report
        return structs.replace(report, errors=errors, ok=not errors)

    def valid_bundles(self, directory: str | None = None) -> list[Bundle]:
        """Return the bundles of the folder. Raises the BundleError of the first kind of problem."""
        from penstock.planning.load import raise_for

        report = self.load_bundles(directory=directory)
        raise_for(report)
        return [item.bundle for item in report.bundles]

    def choose_bundles(
        self,
        report: ValidationReport,
        ws_ids: Sequence[str],
        *,
        paths: Sequence[Path] = (),
        everything: bool = False,
        with_deps: bool = False,
    ) -> tuple[Bundle, ...]:
        """Return the bundles that are meant: by id, those of `paths` (from which `report` is), or all.

        Raises NotFoundError, and BundleDependencyError for a dependency that is neither done nor
        coming along.
        """
        from penstock.engine.selection import choose_bundles

        read = [item.bundle for item in report.bundles]
        known = [*read, *(item.bundle for item in report.available)]
        named = [bundle.id for bundle in read] if paths or everything else []
        return choose_bundles(known, [*named, *ws_ids], with_deps=with_deps, met=self._is_met)

    def _is_met(self, ws_id: str) -> bool:
        """Tell whether an earlier run has done a workstream and HEAD holds its commit."""
        from penstock.engine.selection import done_in

        head = self.repository.head()
        return done_in(self.reader, ws_id, lambda c: self.repository.is_ancestor(c, head))

    def sync_bundles(self, run_id: str, bundles: Sequence[Bundle]) -> None:
        """Enter bundles into a run as pending; the run is made when there is none of that id.

        Raises UsageError when the run has ended.
        """
        from penstock.engine.selection import enter_bundles

        enter_bundles(self.open_journal(), run_id, bundles, mask=self.redactor.prose)

    # -- AIM -------------------------------------------------------------------------------
    @property
    def aim_settings(self) -> AimSettings:
        """What aim_config says now. Raises ConfigError."""
        from penstock.registry.settings import load_aim_settings

        return load_aim_settings(self.root)

    @property
    def registry(self) -> Registry:
        """The effective AIM registry as it is now on disk; rules may name any tool of ours.

        Raises AIMRegistryNotFoundError, AIMRegistryLoadError, ConfigError.
        """
        from penstock.registry.load import load_registry

        return load_registry(self.root, others=lambda: self.toolbox.ids())

    @cached_property
    def capabilities(self) -> Collection[str]:
        """The names of the effective capabilities, looked up when the first is asked for."""
        return _Lazily(self._capability_names)

    def _capability_names(self) -> Collection[str]:
        """Return the capabilities of the rules; without a registry the packaged ones."""
        from penstock.errors import AIMRegistryNotFoundError
        from penstock.model.capability import PACKAGED_CAPABILITIES

        try:
            return tuple(sorted(self.registry.rules.capabilities))
        except AIMRegistryNotFoundError:
            return PACKAGED_CAPABILITIES

    @property
    def registry_path(self) -> Path:
        """The folder of the effective AIM registry. Raises AIMRegistryNotFoundError, ConfigError."""
        from penstock.registry.locate import find_registry

        return find_registry(self.root, self.aim_settings).path

    @property
    def audit_folder(self) -> Path:
        """Where the audit trail lies: `audit.logPath`, else in the registry or the repository.

        Raises AIMRegistryNotFoundError, ConfigError.
        """
        from penstock.registry.locate import audit_folder

        return audit_folder(self.root, self.aim_settings, self.registry_path)

    def tool_side(self) -> ToolSide:
        """Return what is known of the tools at this moment. Raises as `registry` does."""
        from penstock.toolside import ToolSide

        journal = self.existing_journal() if self.database.exists() else None
        return ToolSide(self.registry, self.toolbox, journal, kept=self.lender.kept)

    def check_payload(self, tree: Path, payload: Mapping[str, Any]) -> str | None:
        """Return why the security limits refuse a payload whose paths count from `tree`, None when
        they do not. Raises GitError, and as `registry` does.
        """
        from penstock.registry.payload import check_payload

        limits = self.registry.rules.security
        return check_payload(tree, payload, limits, lambda paths: _count_tracked(tree, paths))

    @property
    def trail(self) -> AuditTrail | None:
        """The audit trail to record in, None where auditing is switched off."""
        recording = self.aim_settings.switches.enable_audit_logging
        return self.recorded if recording else None

    @cached_property
    def recorded(self) -> AuditTrail:
        """The audit trail as it lies on file, also where auditing is switched off by now."""
        from penstock.audit.trail import FileTrail
        from penstock.masking import redactor

        trail = FileTrail(
            self.audit_folder,
            redactor=redactor(),
            anchors=self.root / self.state_folder / "audit_anchors.jsonl",
            classes=self.aim_settings.audit.events,
        )
        self._opened.callback(trail.close)
        return trail

    # -- the user's secrets ----------------------------------------------------------------
    @cached_property
    def vault(self) -> Vault:
        """The user's vault; nothing of it is looked at before it is used.

        Raises ConfigError, EnvironmentProblem when there is no home.
        """
        from penstock.vault.opening import open_vault

        return open_vault(self.aim_settings.environment.secrets_vault)

    @cached_property
    def redactor(self) -> Redactor:
        """What takes all secrets known here, those of the vault too, out of text: for whatever starts
        something or writes down what others said."""
        from penstock.config.agents import given_secrets
        from penstock.masking import learn, redactor

        with suppress(PenstockError):  # a vault that cannot be read hands nothing on either
            learn(self.vault.known().values.values())
        with suppress(PenstockError):
            learn(given_secrets(self.root))
        return redactor()

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

    @cached_property
    def repository(self) -> Repository:
        """The git repository. Raises RepositoryError when it cannot be worked in."""
        from penstock.worktrees.repository import open_repository

        root = self.need_repository().root
        return open_repository(root, self.settings.worktree, own_paths=self.own.paths)

    @cached_property
    def toolbox(self) -> Toolbox:
        """All tools by id."""
        from penstock.tools.toolbox import make_toolbox

        profiles = self._own_profiles()
        plain = make_toolbox(profiles)
        adapters = self._adapters(plain)
        from penstock.tools.lending import LendingToolbox

        return LendingToolbox(make_toolbox(profiles, adapters) if adapters else plain, self.lender)

    @cached_property
    def lender(self) -> Lender:
        """What lends tools and checks the secrets that their profiles name."""
        from penstock.lending import make_lender

        def registry() -> Registry | None:
            return self.registry if self.aim_settings.switches.enable_aim else None

        return make_lender(self.vault, self.profiles, registry, lambda: self.trail)

    def _own_profiles(self) -> dict[str, ToolProfile]:
        """Return the profiles for turns: a packaged one is for checks, where a tool is built in."""
        from penstock.config.profiles import load_tool_profiles
        from penstock.tools.toolbox import BUILT_IN

        packaged = load_tool_profiles()
        return {
            tool_id: profile
            for tool_id, profile in self.profiles.items()
            if tool_id not in BUILT_IN or profile != packaged.get(tool_id)
        }

    def _adapters(self, plain: Toolbox) -> tuple[ExternalAdapter, ...]:
        """Return the programs of the open adapter protocol that the registry names."""
        from penstock.registry.load import load_registry

        if not self.aim_settings.switches.enable_aim:
            return ()
        try:
            registry = load_registry(self.root, others=plain.ids)
        except AIMRegistryNotFoundError:
            return ()
        found = [(t, t.adapter_script) for t in registry.tools.values() if t.adapter_script]
        if not found:
            return ()
        from penstock.tools.external import ExternalAdapter  # mostly there is none

        return tuple(
            ExternalAdapter(tool_id=tool.tool_id, path=script, tool_name=tool.name)
            for tool, script in found
        )

    @cached_property
    def checks(self) -> Checks:
        """The checks of this repository."""
        from penstock.checks.checks import make_checks

        return make_checks(self.settings, self.profiles, self.root, self.lender.turn)

    def existing_journal(self) -> Journal:
        """Return the journal for reading. Raises JournalError where there is none."""
        from penstock.store.sqlite import open_journal

        journal = open_journal(self.database, create=False, read_only=True)
        self._opened.callback(journal.close)
        return journal


class _Lazily(Collection[str]):
    """Names that are made when they are first looked at."""

    def __init__(self, make: Callable[[], Collection[str]]) -> None:
        self._make = make

    @cached_property
    def _names(self) -> Collection[str]:
        return self._make()

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _count_tracked(tree: Path, paths: Sequence[str]) -> int:
    """Return how many tracked files folders (`src/`) and globs (`src/**/*.py`) have, each once."""
    from penstock.worktrees.git import find_git, split_z

    specs = [_pathspec(path) for path in paths]
    listed = find_git(tree).run("ls-files", "-z", "--", *specs, reading=True)
    return len(set(split_z(listed)))


def _pathspec(path: str) -> str:
    """Return how git is asked for a folder, whatever characters it has, or for a glob."""
    if path.endswith("/"):
        return f":(literal){path.strip('/') or '.'}"
    return f":(glob){path}"
