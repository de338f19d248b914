"""A plan as text: its bundles, what needs a scope, what is odd, and why everything is as it is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from penstock.cli.words import one_line, plural, shortened
from penstock.model.bundle import Bundle
from penstock.planning.api import Changes
from penstock.planning.drafting.api import ItemCount, NeedsScope, Plan, PlannedBundle
from penstock.planning.scoping.api import Guess
from penstock.planning.sources.api import Notice, PlanSource, Severity, TracedItem

SHOWN = 20
"""How many of a kind are shown unless everything is asked for."""
COLUMNS = ("WORKSTREAM", "GATE", "TASKS", "FILES", "AFTER")
DIALECTS = {
    "openspec": "OpenSpec change",
    "ccpm": "CCPM epic",
    "spec-kit": "spec-kit feature",
    "task-master": "task-master tag",
    "checklist": "checklist",
}
PARTS = {
    "planned": "planned",
    "done": "done",
    "needs_scope": "without a scope",
    "skipped": "skipped",
}


def source_lines(sources: Iterable[PlanSource], width: int) -> Iterator[str]:
    """Yield what was read, a line for each source."""
    for source in sources:
        amount = plural(len(source.items), "item")
        head = f"{DIALECTS[source.dialect]} {one_line(source.id)}"
        yield shortened(f"{head} ({source.path}): {amount}", width)


def bundle_rows(bundles: Iterable[PlannedBundle]) -> list[tuple[str, ...]]:
    """Return the rows of the table of bundles."""
    return [
        (
            planned.bundle.id,
            str(planned.bundle.gate),
            str(len(planned.bundle.tasks)),
            _amount(planned.bundle),
            _some(planned.bundle.depends_on),
        )
        for planned in bundles
    ]


def _amount(bundle: Bundle) -> str:
    """Return how many paths a bundle claims, and how many of them are to be made."""
    fresh = len(set(bundle.files_create))
    return f"{len(bundle.claims)} ({fresh} new)" if fresh else str(len(bundle.claims))


def _some(names: Sequence[str], shown: int = 2) -> str:
    if not names:
        return "-"
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def scope_lines(missing: Sequence[NeedsScope], width: int, *, everything: bool) -> Iterator[str]:
    """Yield what has no scope, item by item with its line, and what was guessed too faintly."""
    items = [(one, item) for one in missing for item in one.items]
    shown = items if everything else items[:SHOWN]
    for one, item in shown:
        yield from folded(f"  {item.place} ", item_words(item), width)
        if everything and one.why and item is one.items[0]:
            yield from folded("    why: ", one_line(one.why), width)
        if item is one.items[-1]:
            yield from _guess_lines(one.doubtful if everything else one.doubtful[:3], width)
    yield from _more(len(items) - len(shown))


def item_words(item: TracedItem) -> str:
    """Return an item with its label."""
    words = one_line(item.text)
    label = "" if item.label is None else one_line(item.label)
    return words if not label or words.startswith(label) else f"{label} {words}"


def _guess_lines(guesses: Iterable[Guess], width: int) -> Iterator[str]:
    for guess in guesses:
        yield from folded("    perhaps ", guess_words(guess), width)


def guess_words(guess: Guess) -> str:
    """Return a guess: its path, how sure it is, and its evidence."""
    use = "" if guess.use.value == "modify" else f" ({guess.use.value})"
    place = "" if guess.place is None else f", {guess.place}"
    sure = f"{guess.rung.value} {guess.confidence:.0%}"
    return one_line(f"{guess.path}{use}: {sure}, {guess.evidence}{place}")


def notice_lines(notices: Sequence[Notice], width: int, *, everything: bool) -> Iterator[str]:
    """Yield notices, errors first; without `everything` the first of each kind, and no mere hints."""
    order = tuple(Severity)
    for severity in order:
        found = [one for one in notices if one.severity is severity]
        if severity is Severity.INFO and not everything:
            continue
        for one in found if everything else found[:SHOWN]:
            yield from _notice(one, width)
        if not everything:
            yield from _more(len(found) - SHOWN, f" {severity.value}")


def _notice(notice: Notice, width: int) -> Iterator[str]:
    where = "" if notice.place is None else f"{notice.place}: "
    words = f"{where}{notice.text} [{notice.code}]"
    yield from folded(f"{notice.severity.value}: ", one_line(words), width)
    if notice.hint:
        yield from folded("  ", one_line(notice.hint), width)


def _more(number: int, what: str = "") -> Iterator[str]:
    if number > 0:
        yield f"  and {plural(number, f'more{what}') if what else f'{number} more'}: --explain"


def explain_lines(plan: Plan, width: int) -> Iterator[str]:
    """Yield each bundle with its tasks, its paths with their evidence, and why it waits."""
    for planned in plan.bundles:
        bundle = planned.bundle
        yield ""
        yield f"{bundle.id} -> {planned.file}"
        for task in bundle.tasks:
            yield from folded("  task: ", shortened(task, 400), width)
        yield from _claim_lines(planned, width)
        for test in bundle.acceptance_tests:
            yield from folded("  accepted when: ", one_line(test), width)
        if bundle.conflict_group is not None:
            yield f"  conflict group: {bundle.conflict_group}"
        for reason in planned.reasons:
            yield from folded("  because: ", one_line(reason), width)


def _claim_lines(planned: PlannedBundle, width: int) -> Iterator[str]:
    evidence = {guess.path: guess for guess in reversed(planned.evidence)}
    for path in planned.bundle.claims:
        guess = evidence.get(path)
        yield from folded("  file: ", path if guess is None else guess_words(guess), width)


def count_line(items: ItemCount) -> str:
    """Return where the items went: `12 items = 8 planned + 2 done + 2 without a scope + 0 skipped`."""
    parts = " + ".join(f"{getattr(items, name)} {words}" for name, words in PARTS.items())
    return f"{plural(items.total, 'item')} = {parts}"


def changes_lines(changes: Changes, shown: str, width: int) -> Iterator[str]:
    """Yield what was written, `shown` being the folder as one names it from here."""
    parts = [f"{plural(len(changes.written), 'file')} written"] if changes.written else []
    parts += [f"{len(changes.unchanged)} unchanged"] if changes.unchanged else []
    parts += [f"{len(changes.removed)} removed"] if changes.removed else []
    if parts:
        yield from folded(f"{shown}: ", ", ".join(parts) + ".", width)
    for name, why in changes.kept.items():
        yield from folded("", f"Kept {name}: {why}.", width)


def folded(head: str, text: str, width: int) -> list[str]:
    """Fold a text into lines, the later ones indented by two more than the first."""
    blanks = " " * (len(head) - len(head.lstrip()) + 2)
    return textwrap.wrap(
        text,
        width=max(width, 40),
        initial_indent=head,
        subsequent_indent=blanks,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [head.rstrip()]
