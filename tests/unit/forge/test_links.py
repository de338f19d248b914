"""Issues are told beside the run: in order, bounded, and never in its way."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import pytest

from penstock.forge import links as module
from penstock.forge.api import Answer, Issue, Labels, Stage
from penstock.forge.choice import Subject
from penstock.forge.links import IssueLinks, Told
from penstock.forge.refusing import Refusing
from penstock.model.events import EventType
from penstock.model.records import Event

OK = Answer(ok=True)
FAILED = Answer(ok=False, reason="HTTP 502")


class Tracker:
    """Writes down what it is asked, and answers as it is told; a gate may hold it up."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[tuple[Issue, str | Labels]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.stopped = False
        self._answers = list(answers)

    def comment(self, issue: Issue, body: str) -> Answer:
        """Add a comment."""
        self.asked.append((issue, body))
        self.gate.wait(30)
        return self._answers.pop(0) if self._answers else OK

    def relabel(self, issue: Issue, labels: Labels) -> Answer:
        """Change labels."""
        self.asked.append((issue, labels))
        return self._answers.pop(0) if self._answers else OK

    def stop(self) -> None:
        """End what is held up."""
        self.stopped = True
        self.gate.set()


class Slowly(Tracker):
    """Takes a while for each answer."""

    def comment(self, issue: Issue, body: str) -> Answer:
        """Add a comment, later."""
        threading.Event().wait(0.1)
        return super().comment(issue, body)


def moved(to: str, ws_id: str = "ws-a", reason: str | None = None) -> Event:
    """A workstream's move."""
    kind = EventType.WORKSTREAM_STATUS_CHANGED
    payload = {"to": to, "reason": reason}
    return Event(id=1, timestamp="t", event_type=kind, run_id="run-1", ws_id=ws_id, payload=payload)


def subject(_run_id: str, ws_id: str) -> Subject | None:
    """Every workstream but ws-none has issue 7."""
    return None if ws_id == "ws-none" else Subject(Issue(7), "c")


def masked(text: str) -> str:
    """Take the secret out."""
    return text.replace("s3cr3t", "***")


def tellers() -> list[threading.Thread]:
    """The threads that tell issues and do not end within a while."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and _telling():
        time.sleep(0.01)
    return _telling()


def _telling() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "issue-links"]


class Linked:
    """Links over a tracker, and what they reported."""

    def __init__(
        self,
        tracker: Tracker,
        *,
        labels: Mapping[str, str] | None = None,
        patience_s: float = module.PATIENCE_S,
    ) -> None:
        self.told: list[Told] = []
        self.tracker = tracker
        self.links = IssueLinks(
            tracker,
            subject_of=subject,
            mask=masked,
            report=self.told.append,
            labels=labels,
            patience_s=patience_s,
        )

    def hear(self, *events: Event) -> None:
        """Hear events and close."""
        for event in events:
            self.links.hear(event)
        self.links.close()

    @property
    def stages(self) -> list[tuple[str, bool]]:
        """What was reported: stage and success."""
        return [(each.stage.value, each.answer.ok) for each in self.told]


def test_stages_are_told_in_order_and_before_the_end() -> None:
    """Other events, and workstreams without an issue, are not."""
    linked = Linked(Tracker())
    linked.hear(moved("started"), moved("editing"), moved("done"), moved("done", "ws-none"))
    assert linked.stages == [("started", True), ("done", True)]
    assert [issue for issue, _ in linked.tracker.asked] == [Issue(7)] * 2


def test_nothing_to_tell_starts_nothing() -> None:
    """Not even a thread."""
    linked = Linked(Tracker())
    linked.links.hear(moved("editing"))
    assert tellers() == []
    linked.links.close()
    assert linked.told == []


def test_secrets_are_taken_out() -> None:
    """Of all that a comment says."""
    linked = Linked(Tracker())
    linked.hear(moved("failed", reason="the key is s3cr3t"))
    ((_, body),) = linked.tracker.asked
    assert "the key is ***" in str(body)


def test_labels_follow_the_stage() -> None:
    """The one of the stage comes, the others go; a stage without one changes nothing."""
    linked = Linked(Tracker(), labels={"started": "wip", "done": "review", "failed": "wip"})
    linked.hear(moved("started"), moved("quarantined"), moved("done"))
    changes = [asked for _, asked in linked.tracker.asked if isinstance(asked, Labels)]
    assert changes == [
        Labels(add=("wip",), remove=("review",)),
        Labels(add=("review",), remove=("wip",)),
    ]


def test_a_failed_label_is_reported_and_a_failed_comment_gets_none() -> None:
    """One report for each stage."""
    linked = Linked(Tracker(OK, FAILED, FAILED), labels={"started": "wip", "done": "review"})
    linked.hear(moved("started"), moved("done"))
    assert linked.stages == [("started", False), ("done", False)]
    assert len(linked.tracker.asked) == 3


def test_three_failures_in_a_row_are_enough() -> None:
    """A success between them begins the count again."""
    linked = Linked(Tracker(FAILED, FAILED, OK, FAILED, FAILED, FAILED))
    linked.hear(*[moved("started")] * 9)
    assert [ok for _, ok in linked.stages] == [False, False, True, False, False, False]


def test_a_final_answer_ends_it_at_once() -> None:
    """What is known to be impossible is said once."""
    refusing = Refusing("no repository")
    told: list[Told] = []
    links = IssueLinks(refusing, subject_of=subject, mask=str, report=told.append)
    for _ in range(5):
        links.hear(moved("started"))
    links.close()
    assert [each.answer.reason for each in told] == ["no repository"]
    assert refusing.relabel(Issue(1), Labels()).final
    refusing.stop()


def test_hearing_never_waits_and_the_end_is_bounded() -> None:
    """While the tracker hangs events are taken at once; closing stops it after a while."""
    tracker = Tracker()
    tracker.gate.clear()
    linked = Linked(tracker, patience_s=0.1)
    began = time.monotonic()
    linked.hear(*[moved("started")] * 50)
    assert time.monotonic() - began < 5
    assert tracker.stopped
    assert len(tracker.asked) == 1
    assert tellers() == []


def test_the_end_waits_while_answers_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow tracker may say its last words, but not for ever."""
    slow = Slowly()
    linked = Linked(slow, patience_s=0.5)
    linked.hear(*[moved("started")] * 8)
    assert len(linked.told) == 8
    monkeypatch.setattr(module, "LONGEST_S", 0.5)
    linked = Linked(Slowly(), patience_s=0.5)
    linked.hear(*[moved("started")] * 50)
    assert 1 <= len(linked.told) < 50


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond that, events are dropped."""
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    tracker = Tracker()
    tracker.gate.clear()
    linked = Linked(tracker)
    for _ in range(50):
        linked.links.hear(moved("started"))
    tracker.gate.set()
    linked.links.close()
    assert 3 <= len(linked.told) <= 4


def test_nothing_is_told_after_the_end() -> None:
    """Closing twice does no harm."""
    linked = Linked(Tracker())
    linked.hear(moved("started"))
    linked.hear(moved("done"))
    assert linked.stages == [("started", True)]


def test_many_threads_share_one_teller() -> None:
    """Each stage is told once."""
    linked = Linked(Tracker())
    threads = [
        threading.Thread(target=linked.links.hear, args=(moved("started", f"ws-{n}"),))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    linked.links.close()
    assert sorted(str(each.event.ws_id) for each in linked.told) == sorted(
        f"ws-{n}" for n in range(20)
    )
    assert {each.stage for each in linked.told} == {Stage.STARTED}
