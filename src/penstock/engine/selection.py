"""Which bundles a command means, and which dependencies must come along."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from penstock.engine.handover import commits_with
from penstock.engine.masked import masked
from penstock.errors import BundleDependencyError, NotFoundError, UsageError
from penstock.model.bundle import Bundle
from penstock.model.ids import require_run_id
from penstock.model.records import NewWorkstream
from penstock.model.states import RunState
from penstock.store.api import Journal

SHOWN = 10


def choose_bundles(
    known: Sequence[Bundle],
    wanted: Iterable[str],
    *,
    with_deps: bool = False,
    met: Callable[[str], bool] = lambda _: False,
) -> tuple[Bundle, ...]:
    """Return the bundles of the ids `wanted`, sorted by id.

    A dependency that is neither wanted nor `met` (done by an earlier run, and part of the base)
    is added `with_deps`, all the way down. Raises NotFoundError for an unknown id,
    BundleDependencyError naming the dependencies that are left out otherwise.
    """
    by_id = {bundle.id: bundle for bundle in known}
    chosen = {ws_id: _find(by_id, ws_id) for ws_id in wanted}
    todo = list(chosen.values())
    left_out: dict[str, str] = {}
    while todo:
        bundle = todo.pop()
        for dependency in bundle.depends_on:
            if dependency in chosen or met(dependency):
                continue
            if with_deps:
                chosen[dependency] = _find(by_id, dependency)
                todo.append(chosen[dependency])
            else:
                left_out.setdefault(dependency, bundle.id)
    if left_out:
        raise _unmet(left_out)
    return tuple(chosen[ws_id] for ws_id in sorted(chosen))


def _find(by_id: Mapping[str, Bundle], ws_id: str) -> Bundle:
    if ws_id in by_id:
        return by_id[ws_id]
    near = difflib.get_close_matches(ws_id, by_id, n=1)
    names = sorted(by_id)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    listed = ", ".join(names[:SHOWN]) + more if names else "none"
    raise NotFoundError(
        f"there is no workstream bundle {ws_id!r} (known: {listed})",
        hint=f"Did you mean {near[0]}?" if near else "penstock validate lists what is wrong",
    )


def _unmet(left_out: Mapping[str, str]) -> BundleDependencyError:
    needs = ", ".join(f"{by} needs {dep}" for dep, by in sorted(left_out.items()))
    return BundleDependencyError(
        f"these dependencies are neither part of the run nor done in the base: {needs}",
        hint="Add --with-deps to run them too, or merge the branches of their earlier runs.",
    )


def enter_bundles(
    journal: Journal, run_id: str, bundles: Iterable[Bundle], *, mask: Callable[[str], str]
) -> int:
    """Enter bundles that a run does not hold yet as pending and return how many there were.

    `mask` takes secret values out of every text of a bundle before it is stored. The run is made
    when there is none of that id. Raises UsageError when it has ended.
    """
    with journal.together():  # a run that lacks some of its workstreams would end without them
        return _enter(journal, run_id, bundles, mask)


def _enter(
    journal: Journal, run_id: str, bundles: Iterable[Bundle], mask: Callable[[str], str]
) -> int:
    try:
        run = journal.get_run(run_id)
    except NotFoundError:
        run = journal.create_run(require_run_id(run_id), integration_branch=f"integration/{run_id}")
    if run.status not in (RunState.PENDING, RunState.RUNNING):
        raise UsageError(f"run {run_id} has ended ({run.status.value})", hint="Choose another id.")
    held = {row.ws_id for row in journal.list_workstreams(run_id)}
    missing = [
        NewWorkstream(
            ws_id=bundle.id,
            gate=bundle.gate,
            depends_on=bundle.depends_on,
            metadata={"bundle": masked(msgspec.to_builtins(bundle), mask)},
        )
        for bundle in bundles
        if bundle.id not in held
    ]
    return len(journal.add_workstreams(run_id, missing))


def done_in(journal: Journal, ws_id: str, is_ancestor: Callable[[str], bool]) -> bool:
    """Tell whether an earlier run has done a workstream and its work is part of the base.

    That is its commit, or the one that it was handed over as by squash or rebase.
    """
    rows = journal.find_done_workstreams(ws_id)
    return any(
        is_ancestor(commit)
        for row in rows
        for commit in filter(None, (row.head_commit, *commits_with(journal, row)))
    )
