"""Running in a repository: starting runs, going on with them, and telling them from outside.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from penstock.assembly import Aim, Parts
    from penstock.engine.handover import HandoverRequest, HandoverResult
    from penstock.engine.ports import Observer, ResumeOptions, RunRequest
    from penstock.engine.run import Engine
    from penstock.model.agents import AgentProfiles
    from penstock.model.records import Event
    from penstock.model.results import RunResult
    from penstock.process.api import Stop
    from penstock.store.api import DocumentedJournal
    from penstock.trust import Vetted


class Driving(Surroundings):
    """What can be done with the runs of a repository, and where one that works on them is needed."""

    if TYPE_CHECKING:  # what the workspace has from the mixin that vets

        def vet(self) -> tuple[Vetted, ...]: ...

        # and from the one that keeps secrets
        def record_redaction(self) -> None: ...

        # and from the one that tells issues
        def open_told_journal(
            self, sink: Callable[[Event], None], *, create: bool = True
        ) -> DocumentedJournal: ...

    def _parts(self, *, dry: bool = False) -> Parts:
        from penstock.assembly import Parts
        from penstock.config.circuit_breakers import load_breakers

        if not dry:  # which writes nothing, not even what has changed
            self.vet()
        _ = self.redactor  # from here on the values of the vault are known to be secret
        if not dry:
            self.record_redaction()
        return Parts(
            root=self.need_repository().root,
            state=self.state_folder,
            settings=self.settings,
            breakers=load_breakers(self.root, self.settings),
            repository=self.repository,
            toolbox=self.toolbox,
            checks=self.checks,
            aim=self._aim(),
            trail=self.trail,
            agents=self._agents(),
        )

    def _agents(self) -> AgentProfiles | None:
        """Return the agents that the repository describes. Raises ConfigError."""
        from penstock.config.agents import load_agent_profiles, require_tools

        profiles = load_agent_profiles(self.root)
        if profiles is not None:
            require_tools(profiles, self.toolbox.get)
        return profiles

    def _aim(self) -> Aim | None:
        """Return the tool side, None where it is off or its registry is not to be reached.

        Raises AIMRegistryLoadError and ConfigError for one that is wrong.
        """
        from penstock.assembly import Aim
        from penstock.errors import AIMRegistryNotFoundError

        settings = self.aim_settings
        if not settings.switches.enable_aim:
            return None
        try:
            registry = self.registry
        except AIMRegistryNotFoundError:
            return None
        return Aim(registry=registry, settings=settings, check_payload=self.check_payload)

    def create_run(self, request: RunRequest) -> str:
        """Enter a run with its workstreams as pending and return its id; `resume` begins it.

        Raises NotFoundError for an unknown tool, UsageError when the id is taken.
        """
        from penstock.assembly import engine, event_sink

        parts = self._parts()
        self._hide()
        journal = self.open_journal(on_event=event_sink(parts.root, None, parts.trail))
        return engine(parts, journal).create(request)

    def run(
        self, request: RunRequest, *, observer: Observer | None = None, stop: Stop | None = None
    ) -> RunResult:
        """Run a set of validated bundles to its end.

        Days of the audit trail that are past their retention go first.
        """
        from penstock.assembly import engine, event_sink

        require_runnable()
        parts = self._parts()
        self._hide()
        journal = self.open_told_journal(event_sink(parts.root, observer, parts.trail))
        if parts.trail is not None:
            parts.trail.prune(self.aim_settings.switches.audit_log_retention_days)
        return engine(parts, journal, observer=observer, stop=stop).start(request)

    def resume(
        self,
        run_id: str,
        *,
        options: ResumeOptions | None = None,
        observer: Observer | None = None,
        stop: Stop | None = None,
    ) -> RunResult:
        """Go on with a run that has not ended; `options` beat the choices that it began with."""
        from penstock.engine.ports import ResumeOptions

        engine = self._working(observer, stop)
        return engine.resume(run_id, options or ResumeOptions())

    def retry(
        self,
        run_id: str,
        ws_ids: Sequence[str],
        *,
        from_step: str = "edit",
        options: ResumeOptions | None = None,
        observer: Observer | None = None,
        stop: Stop | None = None,
    ) -> RunResult | None:
        """Try failed workstreams again from a step (edit, static, runtime, integrate), and go on with
        the run; None when another process works on it and does that.

        Raises UsageError when one of them cannot be retried.
        """
        from penstock.engine.ports import ResumeOptions

        engine = self._working(observer, stop)
        return engine.retry(run_id, tuple(ws_ids), from_step, options or ResumeOptions())

    def pause(self, run_id: str, *, reason: str | None = None, by: str | None = None) -> bool:
        """Let a run begin nothing more; True when it stands still already, False when a process
        works on it, which ends after the steps under way. Raises UsageError when it has ended."""
        return self._ask(run_id, "pause", payload={"reason": reason}, by=by)

    def cancel(
        self,
        run_id: str,
        *,
        reason: str | None = None,
        compensate: bool = False,
        by: str | None = None,
    ) -> bool:
        """End a run as canceled; `compensate` runs the compensation_actions of what has begun.

        Returns as `pause` does. Raises UsageError when it has ended.
        """
        payload = {"reason": reason, "compensate": compensate}
        return self._ask(run_id, "cancel", payload=payload, by=by)

    def quarantine(
        self,
        run_id: str,
        ws_id: str | None = None,
        *,
        reason: str,
        compensate: bool = False,
        by: str | None = None,
    ) -> bool:
        """Set a failed workstream apart with all its evidence, or a whole run.

        Returns as `pause` does. Raises UsageError when it is in no state for that.
        """
        payload = {"reason": reason, "compensate": compensate}
        return self._ask(run_id, "quarantine", ws_id=ws_id, payload=payload, by=by)

    def _ask(
        self,
        run_id: str,
        kind: str,
        *,
        ws_id: str | None = None,
        payload: Mapping[str, Any],
        by: str | None,
    ) -> bool:
        from penstock.model.records import RequestKind

        given = {name: value for name, value in payload.items() if value}
        engine = self._working(None, None)
        return engine.ask(run_id, RequestKind(kind), ws_id=ws_id, payload=given, by=by)

    def _working(self, observer: Observer | None, stop: Stop | None) -> Engine:
        """Return the engine over a journal that is there already."""
        from penstock.assembly import engine, event_sink

        require_runnable()
        parts = self._parts()
        self._hide()
        sink = event_sink(parts.root, observer, parts.trail)
        journal = self.open_told_journal(sink, create=False)
        return engine(parts, journal, observer=observer, stop=stop)

    def run_step(self, run_id: str, ws_id: str, step: str, *, fix: bool) -> RunResult:
        """Work on one step (edit, static, runtime) of one workstream of a run."""
        return self._working(None, None).step(run_id, ws_id, step, fix=fix)

    def integrate(self, request: HandoverRequest) -> HandoverResult:
        """Hand the result of a run over to a branch of the user's.

        Raises UsageError for a run without a result, ClaimError while a process works on it,
        RepositoryError when the branch cannot take it, HandoverConflictError.
        """
        from penstock.assembly import event_sink, run_holder
        from penstock.engine.handover import hand_over
        from penstock.process.identity import this_process

        require_runnable()
        root = self.need_repository().root
        sink = event_sink(root, None, self.trail)
        return hand_over(
            self.open_journal(create=False, on_event=sink),
            self.repository,
            request,
            hold=run_holder(root / self.state_folder),
            owner=this_process().to_dict(),
        )


def require_runnable() -> None:
    """Raise EnvironmentProblem where workstreams cannot be run: on Windows."""
    from penstock.environment.platform import require_runnable as require

    require()
