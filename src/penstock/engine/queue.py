"""The integration queue of a run: merge, check what the merge came to, then move the branch.

Finished workstreams are stacked on the head of the integration branch as merge commits that no
branch points to yet. Only when the checks pass on the topmost one does the branch move, so it never
holds anything that was not checked as a whole. A stack that fails is taken once more, for it may
have been bad luck, and then halved until the one that breaks it stands alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from penstock.breakers.decide import Decision, Next
from penstock.breakers.signature import signature
from penstock.checks.api import Check, CheckRun
from penstock.engine.checking import check_result, next_decision, run_all, signature_of
from penstock.engine.desk import commit_gone, is_linked, leased_place
from penstock.engine.facts import last_check, latest_hash, next_number
from penstock.engine.job import Job
from penstock.engine.leakgate import CHECK_ID, judge, refusal
from penstock.engine.recovery import settle_lost
from penstock.engine.services import Services
from penstock.errors import EnvironmentProblem, Interrupted, RepositoryError
from penstock.model.events import EventType
from penstock.model.finding import Finding
from penstock.model.ids import INTEGRATION
from penstock.model.records import Attempt, NewAttempt
from penstock.model.states import AttemptState, IntegrationState, WorkstreamState
from penstock.worktrees.api import MergeOutcome, Worktree

STEP = "integrate"
BATCH = 16
"""How many workstreams are stacked at most: a red stack of n costs log2(n) more rounds."""
MOVES = 5
"""How often the head may move under our hands before we give up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stacked:
    """A workstream on the stack: the merge commit made for it, on top of those before.

    None when it could not be made.
    """

    job: Job
    commit: str | None


def queue_up(job: Job) -> None:
    """Put a workstream that is done into the queue; safe to repeat."""
    row = job.row()
    if row.status is WorkstreamState.DONE and row.integration is IntegrationState.NONE:
        _move(job, IntegrationState.QUEUED)


def is_queued(job: Job) -> bool:
    """Tell whether a workstream still waits to be merged."""
    return job.row().integration is IntegrationState.QUEUED


def standing(job: Job) -> Decision:
    """Decide from the journal what a queued workstream needs: to be merged, a FIX turn, or its end."""
    return next_decision(job, STEP)


class Integration:
    """The integration of one run. For one thread at a time."""

    def __init__(
        self, services: Services, run_id: str, branch: str, jobs: Mapping[str, Job]
    ) -> None:
        self._services = services
        self._run_id = run_id
        self._branch = branch
        self._jobs = jobs
        self._tree: Worktree | None = None

    def integrate(self, members: Sequence[Job]) -> None:
        """Merge queued workstreams, given in the order in which they are to land.

        Afterwards each is merged, or waits in the queue with a failed `integrate` attempt, or could
        not be stacked on the others and waits for the next call. Raises Interrupted and
        EnvironmentProblem.
        """
        head = self._head()
        waiting = [job for job in members if not self._has_landed(job, head)]
        if self._land_checked(waiting, head):
            return
        self._land(waiting[:BATCH], again=True)

    def require_landed(self) -> None:
        """Raise EnvironmentProblem when the branch does not hold what has been merged into it.

        Somebody has moved it back, or deleted it: what depends on that work would lack it.
        """
        list_events = self._services.journal.list_events
        kind = EventType.MERGED
        told = list_events(run_id=self._run_id, event_type=kind, newest_first=True, limit=1)
        last = told[0].payload.get("commit") if told else None
        if last is None or self._services.repository.is_ancestor(last, self._head()):
            return
        raise EnvironmentProblem(
            f"the branch {self._branch} does not hold what was merged into it any more",
            hint=f"git branch -f {self._branch} {last}, then: penstock resume {self._run_id}",
        )

    def close(self) -> None:
        """Give the worktree back and remove the branch that it was on, also those of a dead process."""
        services = self._services
        head = services.repository.resolve(self._branch)
        tree = self._tree or (None if head is None else self._left_behind(head))
        if tree is not None:
            tree.reset(tree.head)  # checks may have left files behind
            services.repository.release(tree)
        services.repository.remove_branch(self._candidate)
        services.isolation.give_back(self._run_id, INTEGRATION)
        self._tree = None

    # -- merging ---------------------------------------------------------------------------
    def _head(self) -> str:
        head = self._services.repository.resolve(self._branch)
        if head is None:
            raise EnvironmentProblem(
                f"the branch {self._branch} is gone",
                hint=f"put it back: git branch {self._branch} <commit>",
            )
        return head

    def _has_landed(self, job: Job, head: str) -> bool:
        """Tell whether the branch holds a workstream already, and record it: it landed before a
        death, or has nothing to merge."""
        row = job.row()
        commit = row.head_commit or row.base_commit or head
        if not self._services.repository.is_ancestor(commit, head):
            return False
        _move(job, IntegrationState.MERGED, commit=head)
        return True

    def _land_checked(self, members: Sequence[Job], head: str) -> bool:
        """Land a stack that has passed its checks, before a death kept it from landing."""
        passed: dict[str, list[Stacked]] = {}
        for job in members:
            facts = last_check(job.history(), STEP)
            if standing(job).next is Next.PROCEED and facts.get("onto") == head:
                item = Stacked(job=job, commit=facts["commit"])
                passed.setdefault(facts["candidate"], []).append(item)
        for tip, stack in passed.items():
            whole = last_check(stack[0].job.history(), STEP).get("batch", [stack[0].job.ws_id])
            ordered = sorted(stack, key=lambda item: whole.index(item.job.ws_id))
            is_there = self._services.repository.resolve(tip) is not None
            if is_there and [item.job.ws_id for item in ordered] == whole:
                return self._advance(ordered, head)
        return False

    def _land(self, members: Sequence[Job], *, again: bool) -> None:
        """Land a batch on the head; `again` allows it a second try as a whole."""
        for _ in range(MOVES):
            members = [job for job in members if is_queued(job)]
            if not members:
                return None
            head = self._head()
            stack = self._stack(members, head)
            if not stack:
                return None
            verdict = self._passes(stack, head)
            if not verdict and again and len(stack) > 1:
                verdict = self._passes(stack, head)
                if verdict:
                    names = ", ".join(item.job.ws_id for item in stack)
                    self._tell_flaky(f"the merge of {names}")
            if not verdict:
                return self._halve([item.job for item in stack])
            if self._advance(stack, head):
                return None
        raise EnvironmentProblem(
            f"the branch {self._branch} is moved by somebody else again and again",
            hint=f"leave it to penstock until the run has ended, then: penstock resume {self._run_id}",
        )

    def _halve(self, members: Sequence[Job]) -> None:
        if len(members) > 1:
            middle = len(members) // 2
            self._land(members[:middle], again=False)
            self._land(members[middle:], again=False)

    def _stack(self, members: Sequence[Job], head: str) -> list[Stacked]:
        """Merge the members one on top of the other; what conflicts with the head itself is told."""
        stack: list[Stacked] = []
        tip = head
        for job in members:
            try:
                if self._leaks(job, head):
                    continue
                merge = self._merge(job, tip)
            except RepositoryError:
                if (gone := commit_gone(job)) is None:
                    raise
                self._refuse_lost(job, head, gone)
                continue
            if merge.commit is not None:
                stack.append(Stacked(job=job, commit=merge.commit))
                tip = merge.commit
            elif tip == head:
                self._refuse(job, head, merge.conflicts, "conflicts with")
        return stack

    def _leaks(self, job: Job, head: str) -> bool:
        """Tell whether a workstream's commits hold secrets, after recording that it cannot be merged."""
        row = job.row()
        if row.base_commit is None or row.head_commit is None:
            return False
        facts = refusal(judge(job, row.base_commit, row.head_commit, STEP))
        if facts is None:
            return False
        self._record_refusal(job, head, signature(STEP, CHECK_ID, facts["error"]), facts)
        return True

    def _merge(self, job: Job, onto: str) -> MergeOutcome:
        row = job.row()
        return self._services.repository.try_merge(
            onto,
            row.head_commit or row.base_commit or onto,
            message=f"Merge {job.ws_id} ({self._run_id})",
            trailers={"Penstock-Run": self._run_id, "Penstock-Workstream": job.ws_id},
        )

    def _advance(self, stack: Sequence[Stacked], head: str) -> bool:
        if not all(is_queued(item.job) for item in stack):
            return False  # set aside by the user while it was checked
        tip = stack[-1].commit or head
        if not self._services.repository.advance(self._branch, tip, expected=head):
            return False
        for item in stack:
            _move(item.job, IntegrationState.MERGED, commit=item.commit or "")
        return True

    def _refuse(self, job: Job, head: str, paths: Sequence[str], what: str) -> None:
        """Record a merge that cannot be made: the files are what a FIX turn is told."""
        words = f"{what} {self._branch}"
        findings = [Finding(tool="git", path=p, code="conflict", message=words) for p in paths]
        facts = {
            "error": f"{words} in {', '.join(paths[:5])}",
            "conflicts": list(paths),
            "findings": msgspec.to_builtins(findings),
        }
        self._record_refusal(job, head, signature(STEP, what, " ".join(paths)), facts)
        payload = {"branch": job.branch, "into": self._branch, "conflicts": list(paths)}
        job.event(EventType.MERGE_CONFLICT, payload)

    def _refuse_lost(self, job: Job, head: str, gone: str) -> None:
        """Record that there is nothing to merge any more, which no FIX turn can mend."""
        again = f"penstock retry {self._run_id} {job.ws_id} --from integrate"
        words = f"{gone}: fetch it back, then {again}"
        facts = {"problem": words, "error": words}
        self._record_refusal(job, head, signature(STEP, "gone", ""), facts)

    def _record_refusal(self, job: Job, head: str, mark: str, facts: Mapping[str, Any]) -> None:
        attempt = self._begin(Stacked(job=job, commit=None), [job], head, None)
        self._services.journal.finish_attempt(
            attempt.id,
            AttemptState.FAILED,
            error_signature=mark,
            diff_hash=latest_hash(job.attempts()) or None,
            result={**attempt.result, "outcome": "failed", **facts},
        )

    # -- checking --------------------------------------------------------------------------
    def _passes(self, stack: Sequence[Stacked], head: str) -> bool:
        """Check the topmost merge, as an attempt of every workstream on the stack."""
        known = self._known(stack)
        if known is not None and not self._left_to_run(stack):
            return self._passes_as_known(stack[0], head, known)
        for _ in range(self._services.settings.limits.max_lost_attempts):
            verdict = self._check(stack, head, known or frozenset())
            if verdict is not None:
                return verdict
        raise EnvironmentProblem(
            "the worktree of the integration vanishes again and again",
            hint=f"see what removes folders below .worktrees, then: penstock resume {self._run_id}",
        )

    def _check(self, stack: Sequence[Stacked], head: str, known: frozenset[str]) -> bool | None:
        """Run the checks on the topmost merge; None when the worktree vanished meanwhile."""
        tip = stack[-1].commit or head
        tree = self._worktree(head)
        tree.lay(tip, base=head)
        jobs = [item.job for item in stack]
        if (left := _markers_left(jobs, tree)) is not None:
            if len(jobs) == 1:
                self._refuse(jobs[0], head, left, "leaves conflict markers, merged with")
            return False
        attempts = [self._begin(item, jobs, head, tip) for item in stack]
        checks, notes, passed = self._plan(stack, tree, known)
        runs = run_all(jobs[0], tree, checks, attempts[0], as_ws=INTEGRATION)
        if not is_linked(tree.path):
            for job, attempt in zip(jobs, attempts, strict=True):
                settle_lost(job, attempt, cause=INTEGRATION, error="its worktree vanished")
            return None
        result = check_result(jobs[0], attempts[0], runs, notes, _problem(runs))
        if passed:
            result["known_checks"] = list(passed)
        for job, attempt in zip(jobs, attempts, strict=True):
            self._finish(job, attempt, runs, result, alone=len(jobs) == 1)
        return self._verdict(runs)

    def _verdict(self, runs: Sequence[CheckRun]) -> bool:
        if any(run.interrupted for run in runs):
            raise Interrupted("the checks of a merge were interrupted")
        for run in runs:
            if run.flaky:
                self._tell_flaky(run.check.check_id)
        return all(run.passed for run in runs)

    def _passes_as_known(self, item: Stacked, head: str, known: frozenset[str]) -> bool:
        """Record a merge whose tree is the one that the workstream's own checks passed on."""
        job = item.job
        attempt = self._begin(item, [job], head, item.commit)
        self._services.journal.finish_attempt(
            attempt.id,
            AttemptState.SUCCEEDED,
            exit_code=0,
            diff_hash=latest_hash(job.attempts()) or None,
            result={
                **attempt.result,
                "outcome": "passed" if known else "skipped",
                "notes": ["nothing else had landed: its own checks passed on this very tree"],
                "known_checks": sorted(known),
            },
        )
        return True

    def _left_to_run(self, stack: Sequence[Stacked]) -> bool:
        """Tell whether the merged set has acceptance tests that are not the workstream's own."""
        own = set(stack[-1].job.bundle.acceptance_tests)
        return bool(set(self._acceptance([item.job for item in stack])) - own)

    def _begin(self, item: Stacked, batch: Sequence[Job], head: str, tip: str | None) -> Attempt:
        services, job = self._services, item.job
        row = job.row()
        number = next_number(job.attempts(), STEP)
        facts = {
            "onto": head,
            "head": row.head_commit or row.base_commit,
            "base": row.base_commit,
            "commit": item.commit,
            "candidate": tip,
            "batch": [other.ws_id for other in batch] if len(batch) > 1 else None,
        }
        intent = NewAttempt(
            run_id=self._run_id,
            ws_id=job.ws_id,
            step_name=STEP,
            attempt=number,
            marker=services.new_marker(self._run_id, job.ws_id, STEP, number),
            base_commit=head,
            result={name: value for name, value in facts.items() if value is not None},
        )
        return services.journal.begin_attempt(intent)

    def _finish(
        self,
        job: Job,
        attempt: Attempt,
        runs: Sequence[CheckRun],
        result: Mapping[str, Any],
        *,
        alone: bool,
    ) -> None:
        """Record the outcome; a red batch is nobody's failure until one stands alone."""
        failed = [run for run in runs if not run.passed]
        interrupted = any(run.interrupted for run in runs)
        status = AttemptState.FAILED if failed else AttemptState.SUCCEEDED
        if interrupted or (failed and not alone):
            status = AttemptState.CANCELED
        self._services.journal.finish_attempt(
            attempt.id,
            status,
            exit_code=failed[-1].exit_code if failed else 0,
            error_signature=signature_of(STEP, failed) if failed else None,
            diff_hash=latest_hash(job.attempts()) or None,
            result={**attempt.result, **result},
        )

    def _plan(
        self, stack: Sequence[Stacked], tree: Worktree, known: frozenset[str]
    ) -> tuple[tuple[Check, ...], tuple[str, ...], tuple[str, ...]]:
        """Return the checks to run, notes, and what is known of this very tree already."""
        plan = self._services.checks.plan
        acceptance = self._acceptance([item.job for item in stack])
        static, notes = plan("static", tree.path, acceptance)
        runtime, more = plan("runtime", tree.path, acceptance)
        found = (*static, *runtime)
        todo = tuple(check for check in found if " ".join(check.argv) not in known)
        skipped = tuple(check.check_id for check in found if " ".join(check.argv) in known)
        return todo, tuple(dict.fromkeys((*notes, *more))), skipped

    def _acceptance(self, members: Sequence[Job]) -> tuple[str, ...]:
        """Return the acceptance tests of all that would be on the branch, each once."""
        rows = self._services.journal.list_workstreams(self._run_id)
        merged = [self._jobs[r.ws_id] for r in rows if r.integration is IntegrationState.MERGED]
        entries = (test for job in (*merged, *members) for test in job.bundle.acceptance_tests)
        return tuple(dict.fromkeys(entries))

    def _known(self, stack: Sequence[Stacked]) -> frozenset[str] | None:
        """Return the command lines that passed on this very tree in the workstream's own worktree.

        None when its own checks did not pass on it. They did when nothing else has landed since the
        workstream began, so that the merge adds nothing, and no FIX turn came after them.
        """
        tree_of = self._services.repository.tree_of
        job = stack[-1].job
        head = job.row().head_commit
        if len(stack) > 1 or head is None or tree_of(stack[-1].commit or head) != tree_of(head):
            return None
        return passed_checks(job.attempts(), head)

    def _worktree(self, head: str) -> Worktree:
        if self._tree is None or not is_linked(self._tree.path):
            self._tree = self._open(head)
        return self._tree

    def _open(self, head: str) -> Worktree:
        tree = self._left_behind(head)
        if tree is not None:
            return tree
        return self._services.repository.lease(INTEGRATION, self._run_id, self._candidate, head)

    @property
    def _candidate(self) -> str:
        return f"{self._branch}.candidate"

    def _left_behind(self, head: str) -> Worktree | None:
        """Return the worktree that a dead process had for merging, at `head`; None without one."""
        place = leased_place(self._services, INTEGRATION, self._run_id)
        if place is None:
            return None
        tree = self._services.repository.reopen(place, self._candidate, head, head)
        if tree is not None:
            tree.reset(head)
        return tree

    def _tell_flaky(self, what: str) -> None:
        payload = {"step": STEP, "check": what}
        self._services.journal.record_event(
            EventType.FLAKY_CHECK, run_id=self._run_id, payload=payload
        )


def _markers_left(jobs: Sequence[Job], tree: Worktree) -> tuple[str, ...] | None:
    """Return the files that a FIX turn should have freed of conflict markers and has not."""
    in_conflict = {path for job in jobs for path in last_conflicts(job)}
    left = tuple(path for path in sorted(in_conflict) if _has_markers(tree.path / path))
    return left or None


def last_conflicts(job: Job) -> tuple[str, ...]:
    """Return the files in which the last attempt to merge a workstream conflicted."""
    return tuple(last_check(job.history(), STEP).get("conflicts", ()))


def _has_markers(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    lines = path.read_bytes().splitlines()
    return any(line.startswith(b"<<<<<<< ") for line in lines) and any(
        line.startswith(b">>>>>>> ") for line in lines
    )


def passed_checks(attempts: Sequence[Attempt], commit: str) -> frozenset[str] | None:
    """Return the command lines that passed on a commit; None when not all checks passed on it."""
    last = {a.step_name: a for a in attempts if a.base_commit == commit}
    runtime = last.get("runtime")
    if runtime is None or runtime.status is not AttemptState.SUCCEEDED:
        return None
    return frozenset(
        " ".join(check["argv"])
        for attempt in (last.get("static", runtime), runtime)
        for check in attempt.result.get("checks", ())
        if check.get("passed")
    )


def _problem(runs: Sequence[CheckRun]) -> str | None:
    return next((run.problem for run in runs if run.problem), None)


def _move(job: Job, to: IntegrationState, *, commit: str = "") -> None:
    payload = {"branch": job.branch, "into": job.integration_branch}
    if commit:
        payload["commit"] = commit
    job.services.journal.move_integration(job.run_id, job.ws_id, to, payload=payload)
