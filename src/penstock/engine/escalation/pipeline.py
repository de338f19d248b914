"""The escalation pipeline: `tick` does the work of one state and moves to the next.

What is about to be done is saved before it is done and what came of it after, so that a pipeline
whose process is killed at any moment goes on with the next tick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from penstock.engine.escalation import record
from penstock.engine.escalation.attempt import recover_attempt, run_attempt
from penstock.engine.escalation.cabinet import Cabinet
from penstock.engine.escalation.checking import run_autofix, run_check
from penstock.engine.escalation.ports import Edges, Seed
from penstock.engine.escalation.quarantine import set_apart
from penstock.engine.escalation.workplace import Workplace, commit_work, find_workplace
from penstock.engine.job import relative
from penstock.engine.scope import existing_files
from penstock.errors import UsageError
from penstock.model.bundle import Bundle
from penstock.model.escalation import (
    AGENT_AT,
    CHECKING,
    TIERS,
    Agent,
    EscalationContext,
    EscalationState,
    Verdict,
    advance,
    moved,
)
from penstock.model.events import EventType
from penstock.model.ids import require_run_id
from penstock.model.times import iso
from penstock.schedule.scope import refusal
from penstock.typed import typed

S = EscalationState
NOTHING = Seed()
_HINT = "name them: --py FILE... for Python, --ps FILE... for PowerShell, --file FILE... for others"
OnTick = Callable[[EscalationContext], None]


class Pipeline:
    """The pipeline of one workstream, or of files under any other name."""

    def __init__(self, edges: Edges, run_id: str, ws_id: str) -> None:
        """Raises UsageError when an id cannot name a folder."""
        self._edges = edges
        self._run_id, self._ws_id = require_run_id(run_id), require_run_id(ws_id)
        self._cabinet = Cabinet(edges.reports, run_id, ws_id)

    def tick(
        self, seed: Seed | EscalationContext = NOTHING, *, restart: bool = False
    ) -> EscalationContext:
        """Do the work of the present state and move to the next; an ended one stays as it is.

        `seed` begins it (a context: as it stands), and is not looked at later. With `restart` it begins
        again. Raises
        UsageError when it is to begin without files, ClaimError while another process works on
        it or its run, Interrupted.
        """
        with record.held(self._edges, self._run_id, self._ws_id):
            return self._tick(self._begun(seed, restart=restart))

    def run(
        self,
        seed: Seed | EscalationContext = NOTHING,
        *,
        restart: bool = False,
        on_tick: OnTick | None = None,
    ) -> EscalationContext:
        """Tick until it has ended; `on_tick` hears of each state. Raises what `tick` does."""
        with record.held(self._edges, self._run_id, self._ws_id):
            context = self._begun(seed, restart=restart)
            while not context.ended:
                context = self._tick(context)
                if on_tick is not None:
                    on_tick(context)
            return context

    # -- beginning -------------------------------------------------------------------------
    def _begun(self, seed: Seed | EscalationContext, *, restart: bool) -> EscalationContext:
        if restart:
            self._clear()
        else:
            known = record.load(self._edges.journal, self._run_id, self._ws_id)
            if known is not None and known.files:
                return known
        if isinstance(seed, Seed):
            return self._seeded(seed)
        files = self._files(seed)
        return msgspec.structs.replace(
            seed,
            python_files=files.python_files,
            powershell_files=files.powershell_files,
            other_files=files.other_files,
            pending=None,
        )

    def _clear(self) -> None:
        """Put away what an earlier pipeline left; an attempt that it left unsettled is undone."""
        kept = self._edges.journal.get_error_context(self._run_id, self._ws_id)
        if kept is not None and kept.context.get("pending"):
            known = record.decoded(self._run_id, self._ws_id, kept.context)
            self._recovered(find_workplace(self._edges, self._run_id, self._ws_id), known)
        self._cabinet.set_aside()

    def _seeded(self, seed: Seed) -> EscalationContext:
        profiles, rules = self._edges.profiles, self._edges.profiles.escalation
        files = self._files(seed)
        given = {a: profiles.profile(a).max_attempts for a in TIERS}
        return EscalationContext(
            run_id=self._run_id,
            workstream_id=self._ws_id,
            python_files=files.python_files,
            powershell_files=files.powershell_files,
            other_files=files.other_files,
            enable_mechanical_autofix=_chosen(seed.mechanical, rules.enable_mechanical_autofix),
            enable_aider=self._enabled(Agent.AIDER, seed),
            enable_codex=self._enabled(Agent.CODEX, seed),
            enable_claude=self._enabled(Agent.CLAUDE, seed),
            strict_mode=_chosen(seed.strict, rules.strict_mode),
            max_attempts_per_agent=rules.max_attempts_per_agent,
            max_attempts={a.value: n for a, n in given.items() if n is not None},
            max_total_attempts=rules.max_total_attempts,
            started_at=iso(self._edges.clock()),
        )

    def _enabled(self, agent: Agent, seed: Seed) -> bool:
        return self._edges.profiles.profile(agent).enabled and agent.value not in seed.without

    def _files(self, seed: Seed | EscalationContext) -> Seed:
        """Return the files to begin with: those named, else the workstream's own."""
        workplace = find_workplace(self._edges, self._run_id, self._ws_id)
        if seed.files:
            return Seed(
                python_files=self._in_tree(workplace, seed.python_files),
                powershell_files=self._in_tree(workplace, seed.powershell_files),
                other_files=self._in_tree(workplace, seed.other_files),
            )
        found = files_of(workplace)
        if not found.files:
            raise UsageError(
                f"the error pipeline of {self._run_id}/{self._ws_id} has no files to begin with",
                hint=_HINT,
            )
        return found

    def _in_tree(self, workplace: Workplace, paths: Sequence[str]) -> tuple[str, ...]:
        """Return paths as they are from the top of the tree, links followed. Raises UsageError."""
        found = []
        for name in paths:
            path = _plain(workplace, name)
            if (why := refusal(path, self._edges.protected)) is not None:
                raise UsageError(f"{name} may not be changed: {why}")
            if not workplace.covers(path, (path,)):
                raise UsageError(f"{name} lies outside the scope of {self._ws_id}")
            found.append(path)
        return tuple(dict.fromkeys(found))

    # -- one state -------------------------------------------------------------------------
    def _tick(self, context: EscalationContext) -> EscalationContext:
        if context.ended:
            return context
        edges = self._edges
        workplace = find_workplace(edges, self._run_id, self._ws_id)
        pending = context.pending
        record.settle_begun(edges, workplace, pending.step_attempt_id if pending else None)
        before = context.current_state
        context, verdict = self._act(workplace, context)
        to = advance(context, verdict)
        if to is S.QUARANTINE:
            folder = set_apart(edges, self._cabinet, workplace, context)
            shown = relative(folder, edges.root)
            context = msgspec.structs.replace(context, quarantine_path=shown)
        if to is S.SUCCESS:
            context = msgspec.structs.replace(context, commit=commit_work(edges, workplace))
        context = moved(context, verdict)
        if context.ended:
            context = msgspec.structs.replace(context, ended_at=iso(edges.clock()))
        self._keep(before, context)
        return context

    def _act(
        self, workplace: Workplace, context: EscalationContext
    ) -> tuple[EscalationContext, Verdict]:
        edges, cabinet, state = self._edges, self._cabinet, context.current_state
        if context.pending is not None:
            return self._recovered(workplace, context), Verdict.DONE
        if state in CHECKING:
            return run_check(edges, cabinet, workplace, context)
        if state is S.MECHANICAL_AUTOFIX:
            return run_autofix(edges, workplace, context)
        if state in AGENT_AT:
            settled, infra = run_attempt(edges, cabinet, workplace, context)
            if infra is None:
                return settled, Verdict.DONE
            return msgspec.structs.replace(settled, infra_reason=infra), Verdict.INFRA
        cabinet.save(cabinet.original, workplace.tree, context.files)
        return context, Verdict.DONE

    def _recovered(self, workplace: Workplace, context: EscalationContext) -> EscalationContext:
        if context.pending is None:
            return context
        return recover_attempt(self._edges, self._cabinet, workplace, context, context.pending)

    def _keep(self, before: EscalationState, context: EscalationContext) -> None:
        """Save where it has come to, and then tell it and put away what was kept for undoing."""
        edges = self._edges
        with edges.journal.together():
            record.event(edges, context, EventType.ERROR_PIPELINE_MOVED, _move(before, context))
            plain = msgspec.to_builtins(context)
            edges.journal.save_error_context(self._run_id, self._ws_id, plain)
        self._cabinet.write_context(context)
        if context.ai_attempts:
            self._cabinet.forget(self._cabinet.attempt(context.ai_attempts[-1].label))


def _move(before: EscalationState, context: EscalationContext) -> Mapping[str, object]:
    final = context.final_status
    return {
        "from": before.value,
        "to": context.current_state.value,
        "attempt": context.attempt_number,
        "agent": context.current_agent.value,
        "final": final.value if final is not None else None,
        "reason": context.infra_reason,
    }


def _chosen(given: bool | None, usual: bool) -> bool:
    return usual if given is None else given


def _plain(workplace: Workplace, name: str) -> str:
    """Return a path from the top of the tree, links followed. Raises UsageError for what is no file."""
    if not name.isprintable():
        raise UsageError(f"{name!r} holds a control character: rename it")
    path = (workplace.tree / name).resolve()
    if not path.is_relative_to(workplace.tree):
        raise UsageError(f"{name} lies outside of {workplace.shown}")
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist"
        raise UsageError(f"{name} {what} in {workplace.shown}")
    return path.relative_to(workplace.tree).as_posix()


PYTHON = (".py", ".pyi")
POWERSHELL = (".ps1", ".psm1")


def files_of(workplace: Workplace) -> Seed:
    """Return the Python and PowerShell files of a workstream's scope that are there."""
    given = workplace.row.metadata.get("bundle") if workplace.row is not None else None
    if not isinstance(given, dict):
        return NOTHING
    found = existing_files(workplace.tree, typed(given, Bundle).claims)
    return sorted_by_kind([path for path in found if path.endswith(PYTHON + POWERSHELL)])


def sorted_by_kind(paths: Sequence[str]) -> Seed:
    """Return paths as a seed, by their endings."""
    return Seed(
        python_files=tuple(p for p in paths if p.endswith(PYTHON)),
        powershell_files=tuple(p for p in paths if p.endswith(POWERSHELL)),
        other_files=tuple(p for p in paths if not p.endswith(PYTHON + POWERSHELL)),
    )
