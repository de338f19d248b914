"""Stands in for a tracker where it is known beforehand that nothing can be told."""

from __future__ import annotations

from penstock.forge.api import Answer, Issue, Labels


class Refusing:
    """An IssueTracker that answers everything with one reason."""

    def __init__(self, reason: str) -> None:
        self._answer = Answer(ok=False, reason=reason, final=True)

    def comment(self, issue: Issue, body: str) -> Answer:  # noqa: ARG002 - as the port says
        """Say why not."""
        return self._answer

    def relabel(self, issue: Issue, labels: Labels) -> Answer:  # noqa: ARG002 - as the port says
        """Say why not."""
        return self._answer

    def stop(self) -> None:
        """Do nothing: nothing is under way."""
