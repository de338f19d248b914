"""The coordinator of a run: what may start is started, what is done is merged, until all is said.

One thread, this one, decides; each workstream at work has a thread of its own, and so has the
integration. What may start is asked of a pure `Frontier`, which is told every change from the
journal's rows, so a run that is resumed goes on exactly where the rows say.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from penstock.breakers.decide import Decision, Next
from penstock.engine.control import Control
from penstock.engine.desk import Desk
from penstock.engine.job import Job, Waiting
from penstock.engine.losses import drive, mend
from penstock.engine.outcome import conclude
from penstock.engine.plan import Choices, frontier_of, is_routed
from penstock.engine.queue import Integration, queue_up, standing
from penstock.engine.repair import give_up, settle
from penstock.engine.services import Services
from penstock.engine.signals import Signals
from penstock.engine.step import ENDED
from penstock.engine.workers import Ended, Workers
from penstock.errors import EnvironmentProblem, Interrupted
from penstock.model.events import EventType
from penstock.model.ids import INTEGRATION
from penstock.model.records import Workstream
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.schedule.graph import topological_order
from penstock.schedule.readiness import Hold, Reason

POLL_S = 0.5
"""How soon a request of another process is heeded, in seconds."""
TO_MERGE = frozenset({Next.CHECK, Next.PROCEED})


class Coordinator:
    """Works on one claimed, running run until nothing can go on."""

    def __init__(
        self, services: Services, run_id: str, jobs: Mapping[str, Job], choices: Choices
    ) -> None:
        self._services = services
        self._run_id = run_id
        self._jobs = jobs
        self._choices = choices
        self._signals = next(iter(jobs.values())).signals if jobs else Signals()
        self._desk = Desk()
        self._frontier = frontier_of(services, jobs, choices)
        self._workers = Workers(choices.max_parallel + 1)
        self._control = Control(
            services, run_id, jobs, self._desk, self._signals, self._is_under_way
        )
        branch = next(iter(jobs.values())).integration_branch if jobs else f"integration/{run_id}"
        self._integration = Integration(services, run_id, branch, jobs)
        order = topological_order([job.bundle for job in jobs.values()])
        self._rank = {bundle.id: number for number, bundle in enumerate(order)}
        self._queued: dict[str, Decision] = {}
        self._landing: tuple[str, ...] = ()
        self._cooling: dict[str, float] = {}
        self._asleep: dict[str, float | None] = {}
        self._waits: dict[str, Waiting] = {}
        self._failed: set[str] = set()
        self._told_room = False
        self._fatal: BaseException | None = None

    def run(self) -> None:
        """Work until nothing is under way and nothing may start, then record how it stands.

        Raises what stopped it: Interrupted, EnvironmentProblem, or an error of our own.
        """
        self._services.ensure_descriptors(self._choices.max_parallel)
        self._integration.require_landed()
        for ws_id in self._jobs:
            self._settle(ws_id)
        self._tell(EventType.PARALLEL_EXECUTION_START)
        with self._workers:
            self._work_on()
        if self._fatal is None or self._control.ending is not None:
            self._integration.close()
        if self._control.ending is not None:
            return self._control.end()
        if self._fatal is not None:
            raise self._fatal
        self._tell(EventType.PARALLEL_EXECUTION_END)
        conclude(self._services, self._run_id, self._frontier, self._waits, self._signals.pause)
        return None

    def _work_on(self) -> None:
        """Round after round; when one fails, what is under way is stopped and not waited for."""
        is_over = False
        try:
            while self._round():
                pass
            is_over = True
        finally:
            if not is_over:
                self._services.stop.ask()

    def _tell(self, event: EventType) -> None:
        """Record the beginning or the end of work side by side."""
        if len(self._jobs) > 1:
            states = {ws: self._jobs[ws].row().status for ws in self._jobs}
            done = sum(state is WorkstreamState.DONE for state in states.values())
            failed = sum(state is WorkstreamState.FAILED for state in states.values())
            begun = {"workstreams": sorted(states), "max_parallel": self._choices.max_parallel}
            ended = {"completed": done, "failed": failed}
            payload = begun if event is EventType.PARALLEL_EXECUTION_START else ended
            self._services.journal.record_event(event, run_id=self._run_id, payload=payload)

    # -- one round -------------------------------------------------------------------------
    def _round(self) -> bool:
        """Start what may start and take what has ended; False when nothing is left to do."""
        self._heed()
        if self._may_start():
            self._start()
        if len(self._workers) == 0:
            return self._sit_out()
        for ended in self._workers.wait(POLL_S):
            self._take(ended)
        return True

    def _heed(self) -> None:
        """Take in what other processes have asked for, and gates that were approved."""
        for ws_id in self._control.heed():
            self._record(ws_id)
            if self._jobs[ws_id].row().status is not WorkstreamState.QUARANTINED:
                self._failed.clear()  # who retries something wants the run to go on
            self._waits.pop(ws_id, None)
            self._asleep.pop(ws_id, None)
        self._frontier.approve(self._services.journal.approved_gates(self._run_id))
        if self._signals.pause is not None:
            self._frontier.hold_all(Hold(reason=Reason.PAUSED, message=self._signals.pause))

    def _is_under_way(self, ws_id: str) -> bool:
        return ws_id in self._workers or ws_id in self._landing

    def _may_start(self) -> bool:
        stopped = self._services.stop.asked or self._fatal is not None
        return not stopped and self._signals.pause is None

    def _start(self) -> None:
        self._integrate()
        self._repair()
        while not self._failed_fast() and self._free():
            ws_id = self._frontier.next(self._services.clock())
            if ws_id is None:
                return
            if not self._has_room(ws_id):
                return
            self._frontier.start(ws_id)
            self._waits.pop(ws_id, None)
            self._workers.start(ws_id, partial(self._work, self._jobs[ws_id]))

    def _failed_fast(self) -> bool:
        return self._choices.fail_fast and bool(self._failed)

    def _has_room(self, ws_id: str) -> bool:
        """Tell whether there is room for the worktree of a workstream; with none at work there must
        be, if need be that of the integration."""
        ask = partial(self._services.room, self._run_id, ws_id, self._workers.busy)
        room = ask()
        if not room.ok and len(self._workers) == 0:
            self._integration.close()
            room = ask()
        if not room.ok and not self._told_room:
            self._told_room = True
            self._services.journal.record_event(
                EventType.DISK_LOW, run_id=self._run_id, payload={"reason": room.message}
            )
        if not room.ok and len(self._workers) == 0:
            hint = f"{room.command}, or change that limit, then: penstock resume {self._run_id}"
            self._stop(EnvironmentProblem(room.message, hint=hint))
        return room.ok

    def _free(self) -> bool:
        """Tell whether another workstream may be at work.

        The integration has a place of its own, unless one thing at a time was asked for.
        """
        busy = len(self._workers)
        if self._choices.max_parallel > 1:
            busy -= INTEGRATION in self._workers
        return busy < self._choices.max_parallel

    def _work(self, job: Job) -> None:
        """What a workstream's thread does: drive it to its end and queue it for its merge."""
        drive(job, self._desk)
        self._leave(job)

    def _leave(self, job: Job) -> None:
        """Queue a workstream that has ended and give back what it held; safe to repeat."""
        queue_up(job)
        state = job.row().status
        if state is WorkstreamState.DONE:
            self._desk.release(job)
        if state in ENDED:
            self._services.isolation.give_back(self._run_id, job.ws_id)

    # -- integration -----------------------------------------------------------------------
    def _integrate(self) -> None:
        ready = [ws for ws, decision in self._queued.items() if decision.next in TO_MERGE]
        if not ready or INTEGRATION in self._workers:
            return
        self._landing = tuple(sorted(ready, key=self._rank.__getitem__))
        members = [self._jobs[ws_id] for ws_id in self._landing]
        self._workers.start(INTEGRATION, partial(self._integration.integrate, members))

    def _repair(self) -> None:
        """Give FIX turns to what could not be merged; what has had all of its own is given up."""
        now = self._services.clock()
        for ws_id, decision in list(self._queued.items()):
            if decision.next in TO_MERGE or ws_id in self._workers or ws_id in self._landing:
                continue
            if decision.next is not Next.FIX:
                give_up(self._jobs[ws_id], self._desk, decision)
                self._record(ws_id)
            elif self._free() and not self._is_asleep(ws_id, now):
                work = partial(mend, self._jobs[ws_id], self._desk, decision)
                self._frontier.start(ws_id)
                self._workers.start(ws_id, work)

    def _is_asleep(self, ws_id: str, now: float) -> bool:
        until = self._asleep.get(ws_id, 0.0)
        return until is None or until > now

    # -- what has ended --------------------------------------------------------------------
    def _take(self, ended: Ended) -> None:
        if ended.name == INTEGRATION:
            landed, self._landing = self._landing, ()
            for ws_id in landed:
                self._record(ws_id)
        else:
            self._frontier.stop(ended.name)
            self._record(ended.name)
        if isinstance(ended.error, Waiting):
            self._wait(ended.name, ended.error)
        elif ended.error is not None:
            self._stop(ended.error)

    def _wait(self, ws_id: str, waiting: Waiting) -> None:
        """Hold back what waits: a workstream, or the whole run."""
        hold = Hold(reason=waiting.kind, message=str(waiting), until=waiting.until)
        self._waits[ws_id] = waiting
        if waiting.whole_run:
            self._frontier.hold_all(hold)
        elif waiting.kind is not Reason.PAUSED:
            self._frontier.hold(ws_id, hold)
        self._asleep[ws_id] = waiting.until
        self._cool_down(self._jobs[ws_id], waiting)

    def _cool_down(self, job: Job, waiting: Waiting) -> None:
        """Spare the others of a tool the limit that one of them has run into."""
        if waiting.kind is not Reason.RATE_LIMIT or waiting.until is None or is_routed(job):
            return
        if waiting.until > self._cooling.get(job.tool_id, 0.0):
            self._cooling[job.tool_id] = waiting.until
            message = f"{job.tool_id} is cooling down"
            hold = Hold(reason=Reason.RATE_LIMIT, message=message, until=waiting.until)
            self._frontier.hold_key(f"tool:{job.tool_id}", hold)

    def _stop(self, error: BaseException) -> None:
        """Let everything under way be stopped, after something that this run cannot go on from."""
        if self._fatal is None or isinstance(self._fatal, Interrupted):
            self._fatal = error
        if not self._services.stop.asked:
            self._services.stop.ask()

    def _settle(self, ws_id: str) -> None:
        """Finish what a dead process has left between the end of a workstream and its merge."""
        settle(self._jobs[ws_id], self._desk)
        self._leave(self._jobs[ws_id])
        self._record(ws_id)

    def _record(self, ws_id: str) -> None:
        """Tell the frontier and the queue how a workstream stands in the journal now."""
        row = self._jobs[ws_id].row()
        self._frontier.record(ws_id, row.status, row.integration)
        self._queued.pop(ws_id, None)
        if row.status is WorkstreamState.DONE and row.integration is IntegrationState.QUEUED:
            self._queued[ws_id] = standing(self._jobs[ws_id])
        if row.status in (WorkstreamState.FAILED, WorkstreamState.QUARANTINED):
            self._failed.add(ws_id)
        if _has_wait_behind_it(row):
            self._waits.pop(ws_id, None)

    # -- nothing under way -----------------------------------------------------------------
    def _sit_out(self) -> bool:
        """Wait for the first hold that ends by itself, unless that is too far away."""
        if not self._may_start():
            if self._services.stop.asked and self._fatal is None and self._control.ending is None:
                self._fatal = Interrupted(f"run {self._run_id} was interrupted")
            return False
        now = self._services.clock()
        ends = [self._frontier.wake_at(now), *(self._asleep[ws] for ws in self._fixable())]
        known = [end for end in ends if end is not None]
        if not known or min(known) - now > self._services.settings.limits.wait_s:
            return False
        self._services.stop.wait(max(0.0, min(min(known) - now, POLL_S)))
        return True

    def _fixable(self) -> list[str]:
        return [ws for ws in self._queued if ws in self._asleep]


def _has_wait_behind_it(row: Workstream) -> bool:
    return row.status in ENDED and row.integration is not IntegrationState.QUEUED
