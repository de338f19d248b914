"""Tells issues what happens to their workstreams, in a thread of its own: a run neither waits nor fails
for it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from penstock.forge.api import Answer, Issue, IssueTracker, Labels, Stage
from penstock.forge.choice import Subject
from penstock.forge.messages import message, stage_of
from penstock.model.records import Event

PATIENCE_S: Final = 5.0
"""How long (s) is waited for the next answer once the run is over."""
LONGEST_S: Final = 30.0
"""How long (s) all answers may take then."""
ENDING_S: Final = 10.0
"""How long (s) a program that was told to end may take."""
MOST_WAITING: Final = 1000
MOST_FAILURES: Final = 3
"""So many failures in a row, and nothing more is tried."""


class Told(NamedTuple):
    """What came of telling an issue something."""

    event: Event
    issue: Issue
    stage: Stage
    answer: Answer


class IssueLinks:
    """Hears the events of a run and tells the issues of its workstreams, one after the other.

    `subject_of` finds the issue of a workstream by run and id, `mask` takes secrets out of text,
    `labels` are put on an issue by stage, and `report` hears of everything that was tried. Both
    functions are called in the thread that tells.
    """

    def __init__(
        self,
        tracker: IssueTracker,
        *,
        subject_of: Callable[[str, str], Subject | None],
        mask: Callable[[str], str],
        report: Callable[[Told], None],
        labels: Mapping[str, str] | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._tracker = tracker
        self._subject_of = subject_of
        self._mask = mask
        self._report = report
        self._labels = dict(labels or {})
        self._patience_s = patience_s
        self._waiting: queue.SimpleQueue[tuple[Event, Stage] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._failures = 0
        self._answers = 0
        self._over = threading.Event()
        self._ended = threading.Event()

    def hear(self, event: Event) -> None:
        """Take notice of an event; returns at once. From any thread; beyond a thousand that wait, one is
        dropped."""
        stage = stage_of(event)
        if stage is None or self._over.is_set() or self._waiting.qsize() >= MOST_WAITING:
            return
        self._waiting.put((event, stage))
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="issue-links", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Let what waits be told while answers come, then end it. Nothing is told afterwards."""
        if self._thread is None:
            return
        self._waiting.put(None)
        try:
            self._wait()
        finally:  # the user may not want to wait; and a join that is interrupted takes a thread for ended
            self._over.set()
            if not self._ended.is_set():
                self._tracker.stop()
                self._ended.wait(ENDING_S)

    def _wait(self) -> None:
        """Wait for the end as long as there are answers."""
        deadline, before = time.monotonic() + LONGEST_S, -1
        while before != self._answers and time.monotonic() < deadline:
            before = self._answers
            if self._ended.wait(min(self._patience_s, max(deadline - time.monotonic(), 0))):
                return

    # -- in the thread that tells ------------------------------------------------------------
    def _work(self) -> None:
        try:
            while (heard := self._waiting.get()) is not None:
                if not self._over.is_set():
                    self._tell(*heard)
        finally:
            self._ended.set()

    def _tell(self, event: Event, stage: Stage) -> None:
        subject = self._subject_of(event.run_id or "", event.ws_id or "")
        if subject is None:
            return
        answer = self._ask(event, stage, subject)
        self._failures = 0 if answer.ok else self._failures + 1
        if answer.final or self._failures >= MOST_FAILURES:
            self._over.set()
        self._answers += 1
        self._report(Told(event, subject.issue, stage, answer))

    def _ask(self, event: Event, stage: Stage, subject: Subject) -> Answer:
        """Comment on the issue, and put the label of the stage in place of those of other stages."""
        text = self._mask(message(event, stage, subject.change))
        answer = self._tracker.comment(subject.issue, text)
        label = self._labels.get(stage.value)
        if not answer.ok or label is None:
            return answer
        others = sorted({name for name in self._labels.values() if name != label})
        return self._tracker.relabel(subject.issue, Labels(add=(label,), remove=tuple(others)))
