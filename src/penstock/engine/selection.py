"""Which bundles a command means, and which dependencies must come along."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence

from penstock.errors import BundleDependencyError, NotFoundError
from penstock.model.bundle import Bundle

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
