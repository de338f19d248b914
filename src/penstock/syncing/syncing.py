"""Writing the results of a run back into the plans that its workstreams came from.

As in wiring, everything heavy is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from penstock.errors import PenstockError, RepositoryError, UsageError
from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from penstock.planning.writeback.api import Batch, SyncedSource, SyncRequest, SyncResult
    from penstock.syncing.batches import Traced
    from penstock.syncing.desk import PlanDesk

_ROUNDS: Final = 5
"""How often it is begun anew when the branch moves meanwhile."""
_ALL_RUNS: Final = 1_000_000
_PATIENCE_S: Final = 30.0


class Syncing(Surroundings):
    """What a repository can do for the plans that its runs came from."""

    def sync_plan(self, request: SyncRequest) -> SyncResult:
        """Write back what a run has done: one commit on its integration branch.

        What git does not track is written in the checkout. Said twice, nothing is done twice. Raises
        UsageError for a run without a plan or where `plan.write_back` is off, ClaimError while
        another process works on the run, RepositoryError when the branch or a file cannot be written.
        """
        return _Sync(self, request).done()


class _Sync:
    """One writing back."""

    def __init__(self, around: Surroundings, request: SyncRequest) -> None:
        self._around = around
        self._request = request
        self._run = around.reader.get_run(request.run_id)
        self._found = self._traced()

    def done(self) -> SyncResult:
        """Write back, or say what would be written."""
        if self._request.dry_run:
            return self._planned()[0]
        self._require_write_back()
        with self._held():
            return self._written()

    def _require_write_back(self) -> None:
        if not self._around.settings.plan.write_back:
            raise UsageError(
                "writing results back is switched off (plan.write_back in config/pipeline.yaml)",
                hint="--dry-run shows what would be written",
            )

    def _traced(self) -> list[Traced]:
        from penstock.syncing.batches import traced

        found = traced(self._around.reader.list_workstreams(self._run.run_id))
        if not found:
            raise UsageError(
                f"no workstream of {self._run.run_id} comes from a plan",
                hint="bundles that `penstock plan` writes remember where they come from",
            )
        return found

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Keep others off the run, and off the files of plans, for a moment."""
        from penstock.assembly import run_holder
        from penstock.environment.platform import require_runnable
        from penstock.locks import exclusive

        require_runnable()
        state = self._around.need_repository().root / self._around.state_folder
        busy = "another process is writing results back"
        with (
            exclusive(state / "locks" / "plans.lock", busy=busy, patience_s=_PATIENCE_S),
            run_holder(state)(self._run.run_id),
        ):
            yield

    def _written(self) -> SyncResult:
        from msgspec import structs

        # what a killed one left is mended also where nothing is left to be written
        self._around.repository.recover(live_runs=())
        for _ in range(_ROUNDS):
            result, desk, tip = self._planned()
            if result.refused:
                return result
            commit = self._commit(result, desk, tip)
            if desk.commits and commit is None:
                continue  # it has moved meanwhile: all is read again
            written: list[str] = []
            try:
                for name in desk.write_places():
                    written.append(name)  # noqa: PERF402 - those before a failure count
            finally:  # what is written is recorded, though another file cannot be
                result = structs.replace(result, commit=commit, in_place=tuple(written))
                self._record(result)
            return result
        raise RepositoryError(
            f"{result.branch} keeps moving; nothing was written", hint="run the same command again"
        )

    def _commit(self, result: SyncResult, desk: PlanDesk, tip: str | None) -> str | None:
        if not desk.commits or tip is None:
            return None
        from penstock.syncing.telling import message

        return self._around.repository.amend(
            result.branch,
            tip,
            desk.commits,
            message=message(result),
            trailers={"Penstock-Run": self._run.run_id},
        )

    def _record(self, result: SyncResult) -> None:
        from penstock.assembly import event_sink
        from penstock.syncing.telling import payload

        if result.commit is None and not result.in_place:
            return
        from penstock.model.events import EventType

        sink = event_sink(self._around.need_repository().root, None, self._around.trail)
        journal = self._around.open_journal(create=False, on_event=sink)
        journal.record_event(
            EventType.PLAN_WRITTEN_BACK, run_id=result.run_id, payload=payload(result)
        )

    # -- what is to be written -------------------------------------------------------------
    def _planned(self) -> tuple[SyncResult, PlanDesk, str | None]:
        """Return what is to be written, the desk that has it, and the commit it is for."""
        from penstock.planning.writeback.api import SyncResult
        from penstock.syncing.batches import batches
        from penstock.syncing.desk import PlanDesk
        from penstock.syncing.telling import drift, whole_diff

        branch = self._run.integration_branch or f"integration/{self._run.run_id}"
        tip = None if self._request.in_place else self._tip(branch)
        desk = PlanDesk(self._around.repository, tip, () if tip is None else self._commits())
        told, unfinished = self._told(tip)
        sources = [self._source(batch, desk) for batch in batches(told, desk)]
        sources, notes = self._archived(sources, desk)
        lost = any(source.lost for source in sources)
        refused = lost and not self._request.partial
        result = SyncResult(
            run_id=self._run.run_id,
            branch=branch,
            sources=tuple(sources),
            committed=() if refused else tuple(sorted(desk.commits)),
            in_place=() if refused else tuple(sorted(desk.places)),
            refused=refused,
            dry_run=self._request.dry_run,
            diff=whole_diff(desk),
            notes=notes,
            drift=drift(sources, desk, self._as_read()) if lost else "",
            unfinished=unfinished,
        )
        return result, desk, tip

    def _told(self, tip: str | None) -> tuple[list[Traced], dict[str, str]]:
        """Return the workstreams of which something may be told, and the state of those that are not
        integrated: a branch that somebody has set back does not hold what was merged into it once."""
        from penstock.syncing.batches import is_in

        told: list[Traced] = []
        unfinished: dict[str, str] = {}
        for one in self._found:
            row, commit = one.row, one.row.head_commit
            is_gone = is_in(row) and tip is not None and not self._holds(commit, tip)
            if is_gone:
                unfinished[row.ws_id] = "done, but not on the branch"
                continue
            told.append(one)
            if not is_in(row):
                unfinished[row.ws_id] = row.status.value
        return told, unfinished

    def _holds(self, commit: str | None, tip: str) -> bool:
        return commit is None or self._around.repository.is_ancestor(commit, tip)

    def _commits(self) -> tuple[str, ...]:
        """Return the commits beside the integration branch that may have a plan: base and HEAD."""
        repository = self._around.repository
        base = self._run.base_commit
        held = (base, repository.head())
        return tuple({one for one in held if one is not None and repository.resolve(one)})

    def _tip(self, branch: str) -> str:
        tip = self._around.repository.resolve(branch)
        if tip is None:
            raise RepositoryError(
                f"the branch {branch} does not exist (any more)",
                hint="--in-place writes to the files of your checkout instead",
            )
        return tip

    def _source(self, batch: Batch, desk: PlanDesk) -> SyncedSource:
        from msgspec import structs

        from penstock.planning.writeback.api import SyncedSource
        from penstock.planning.writeback.writing import write_back
        from penstock.syncing.batches import done_elsewhere, needs_others

        if needs_others(batch):
            others, repository = self._other_runs(), self._around.repository
            tip = desk.tip or repository.head()
            elsewhere = done_elsewhere(batch, others, lambda c: repository.is_ancestor(c, tip))
            batch = structs.replace(batch, elsewhere=elsewhere)
        written = write_back(batch, desk)
        desk.changed.update(written.files)
        return SyncedSource(
            dialect=batch.dialect,
            id=batch.id,
            path=batch.path,
            edits=written.edits,
            already=written.already,
            unmarked=written.unmarked,
            lost=written.lost,
        )

    def _archived(
        self, sources: list[SyncedSource], desk: PlanDesk
    ) -> tuple[list[SyncedSource], tuple[str, ...]]:
        """Have changes archived where that is asked for; return the sources, and why some are not."""
        from msgspec import structs

        from penstock.planning.sources.api import Dialect
        from penstock.syncing.archive import archive

        if not self._request.archive:
            return sources, ()
        made: list[SyncedSource] = []
        notes: list[str] = []
        for source in sources:
            if source.dialect is Dialect.OPENSPEC and not source.lost:
                why = archive(source.path, desk)
                notes += [why] if why else []
                source = structs.replace(source, archived=why is None)
            made.append(source)
        return made, tuple(notes)

    def _other_runs(self) -> list[Traced]:
        """Return the workstreams of other runs that came from plans; damaged ones are left out."""
        from penstock.syncing.batches import traced

        found: list[Traced] = []
        for other in self._around.reader.list_runs(limit=_ALL_RUNS):
            if other.run_id != self._run.run_id:
                for row in self._around.reader.list_workstreams(other.run_id):
                    try:
                        found += traced([row])
                    except PenstockError:
                        continue
        return found

    def _as_read(self) -> dict[str, bytes]:
        """Return the files of plans as they were read, those that git still has."""
        import hashlib

        base = self._run.base_commit
        wanted = {name: sha for one in self._found for name, sha in one.trace.files.items()}
        held = {
            name: self._around.repository.read_file(base, name)
            for name in wanted
            if base is not None and self._around.repository.resolve(base) is not None
        }
        return {
            name: raw
            for name, raw in held.items()
            if raw is not None and hashlib.sha256(raw).hexdigest() == wanted[name]
        }
