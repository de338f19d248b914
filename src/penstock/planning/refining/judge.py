"""From a tool's answer to a plan: read, held against the draft, validated, and shown as a diff."""

from __future__ import annotations

import difflib

import msgspec

from penstock.planning.drafting.api import Plan
from penstock.planning.refining.api import ANSWER_FILE, Ground, Refined
from penstock.planning.refining.apply import Application
from penstock.planning.refining.compare import Comparison
from penstock.planning.refining.document import Draft, decoded, encoded

MAX_REASONS = 50


def judged(draft: Draft, shown: bytes, answer: bytes, ground: Ground, tool_id: str) -> Refined:
    """Return what an answer makes of a draft. `shown` is the draft as the tool got it."""
    plan = draft.plan
    if answer == shown:
        return Refined(plan=plan, tool_id=tool_id)
    try:
        base, proposed = decoded(shown), decoded(answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        why = f"the answer is not of the schema of the draft: {error}"
        return Refined(plan=plan, diff=difference(shown, answer), refused=(why,), tool_id=tool_id)
    diff = difference(shown, encoded(proposed))
    if not diff:
        return Refined(plan=plan, tool_id=tool_id)
    refused = Comparison(draft, base, proposed, ground).objections()
    if not refused:
        application = Application(draft, base, proposed, tool_id)
        sources = application.sources()
        better, refused = application.plan(plan if sources is None else ground.redraft(sources))
        refused = refused or _invalid(better, ground)
        plan = plan if refused else better
    return Refined(plan=plan, diff=diff, refused=tuple(_first(refused)), tool_id=tool_id)


def _first(reasons: list[str]) -> list[str]:
    """Return the first reasons, and how many more there are."""
    more = len(reasons) - MAX_REASONS
    return [*reasons[:MAX_REASONS], f"... and {more} more"] if more > 0 else reasons


def _invalid(plan: Plan, ground: Ground) -> list[str]:
    """Return what `penstock validate` would say against a plan: cycles, overlaps and the like."""
    objects = [msgspec.to_builtins(planned.bundle) for planned in plan.bundles]
    return [problem.text for problem in ground.judge(objects).errors]


def difference(before: bytes, after: bytes) -> str:
    """Return the unified diff of two documents, empty when they are the same."""
    lines = difflib.unified_diff(
        before.decode("utf-8", "replace").splitlines(keepends=True),
        after.decode("utf-8", "replace").splitlines(keepends=True),
        f"draft/{ANSWER_FILE}",
        f"refined/{ANSWER_FILE}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline\n" for line in lines)
