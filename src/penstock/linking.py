"""Runs whose issues are told what becomes of their workstreams, where that is asked for.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from penstock.errors import PenstockError
from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from penstock.forge.choice import Choice, Subject
    from penstock.forge.links import IssueLinks, Told
    from penstock.model.records import Event
    from penstock.store.api import DocumentedJournal


class Linking(Surroundings):
    """What is told to the outside while runs are worked on."""

    def open_told_journal(
        self, sink: Callable[[Event], None], *, create: bool = True
    ) -> DocumentedJournal:
        """Open the journal for writing. `sink` hears of every event, and so do the issues of its
        workstreams where ENABLE_GH_SYNC or `plan.issue_comments` asks for it."""
        from penstock.forge.choice import choose

        choice = choose(self.settings.plan.issue_comments)
        if not choice.wanted:
            return self.open_journal(create=create, on_event=sink)
        return self._linked(choice, sink, create=create)

    def _linked(
        self, choice: Choice, sink: Callable[[Event], None], *, create: bool
    ) -> DocumentedJournal:
        from penstock.forge.gh import Gh
        from penstock.forge.links import IssueLinks
        from penstock.forge.refusing import Refusing
        from penstock.model.events import EventType

        links: list[IssueLinks] = []
        log = self._log()

        def hear(event: Event) -> None:
            if event.event_type == EventType.ISSUE_TOLD:
                log(event)  # whoever watches the run may have gone by then
                return
            sink(event)
            for each in links:
                each.hear(event)

        journal = self.open_journal(create=create, on_event=hear)
        tracker = Refusing(choice.problem) if choice.problem else Gh(self.root)
        made = IssueLinks(
            tracker,
            subject_of=partial(_subject, journal, choice.repository),
            mask=self.redactor.text,
            report=partial(_record, journal),
            labels={str(name): label for name, label in self.settings.plan.issue_labels.items()},
        )
        links.append(made)
        self._opened.callback(made.close)  # before the journal is closed
        return journal

    def _log(self) -> Callable[[Event], None]:
        from penstock.assembly import event_sink

        return event_sink(self.root, None)


def _subject(
    journal: DocumentedJournal, repository: str | None, run_id: str, ws_id: str
) -> Subject | None:
    from penstock.forge.choice import subject_of

    try:
        row = journal.get_workstream(run_id, ws_id)
    except PenstockError:
        return None
    return subject_of(row.metadata.get("bundle"), repository)


def _record(journal: DocumentedJournal, told: Told) -> None:
    """Enter into the journal what came of it; another process may hold the run by now."""
    from penstock.masking import redactor
    from penstock.model.events import EventType

    reason = told.answer.reason
    payload = {
        "issue": told.issue.number,
        "repository": told.issue.repository,
        "stage": told.stage.value,
        "success": told.answer.ok,
        "reason": reason and redactor().text(reason),
    }
    with suppress(PenstockError):
        journal.record_event(
            EventType.ISSUE_TOLD,
            run_id=told.event.run_id,
            ws_id=told.event.ws_id,
            payload=payload,
        )
