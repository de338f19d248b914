"""The report on a plan: everything that is odd about it, each once, in the order of the sources."""

from __future__ import annotations

from penstock.planning.drafting.api import Plan
from penstock.planning.sources.api import Notice, Severity

_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def findings(plan: Plan) -> tuple[Notice, ...]:
    """Return all notices of a plan, each once: errors first, then by file and line.

    Errors are contradictions within the plan: what is called parallel and touches the same file,
    unknown and circular dependencies, paths both asked for and excluded.
    """
    once = dict.fromkeys(plan.notices)
    return tuple(sorted(once, key=_key))


def _key(notice: Notice) -> tuple[int, str, int, str, str]:
    place = notice.place
    file, line = ("", 0) if place is None else (place.file, place.line)
    return _RANK[notice.severity], file, line, notice.code, notice.text
