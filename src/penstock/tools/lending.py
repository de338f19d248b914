"""Tools that are given their secrets while they are started, whatever tool it is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from penstock.errors import SecretsError
from penstock.model.outcome import Outcome, OutcomeKind
from penstock.process.api import FilterFactory, Stop
from penstock.tools.api import Tool, Toolbox, TurnReport, TurnRequest


class Lends(Protocol):
    """Lends a tool its secrets while a block runs."""

    def turn(
        self, tool_id: str, run_id: str | None = None, ws_id: str | None = None
    ) -> AbstractContextManager[None]:
        """Lend values. Raises SecretsError when one cannot be read."""
        ...

    def glance(self, tool_id: str) -> AbstractContextManager[None]:
        """Let only be seen which there would be."""
        ...


class LendingToolbox:
    """The tools of a toolbox, each with its secrets."""

    def __init__(self, toolbox: Toolbox, lender: Lends) -> None:
        self._toolbox = toolbox
        self._lender = lender

    def get(self, tool_id: str) -> Tool:
        """Return a tool. Raises NotFoundError that lists the known ones."""
        return LendingTool(self._toolbox.get(tool_id), self._lender)

    def ids(self) -> Sequence[str]:
        """Return the known tool ids, sorted."""
        return self._toolbox.ids()


class LendingTool:
    """A tool with its secrets: a turn is its own, with these in the environment of its child."""

    def __init__(self, tool: Tool, lender: Lends) -> None:
        self.tool = tool
        self.tool_id = tool.tool_id
        self._lender = lender

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv of a turn; no secret is ever in it."""
        return self.tool.command_line(request)

    def available(self) -> str | None:
        """Return None when it can be started, else why not: a key in the vault is a key."""
        with self._lender.glance(self.tool_id):
            return self.tool.available()

    def own_login(self) -> bool:
        """Tell whether a turn would use the login of the user: not with a key in the vault."""
        with self._lender.glance(self.tool_id):
            return self.tool.own_login()

    def run(self, request: TurnRequest, stop: Stop, make_filter: FilterFactory) -> TurnReport:
        """Run one turn. A secret that it is to have but that cannot be read is a lack of a login.

        Raises AIMAuditLogError when the reading cannot be recorded.
        """
        try:
            with self._lender.turn(self.tool_id, request.run_id, request.ws_id):
                return self.tool.run(request, stop, make_filter)
        except SecretsError as error:
            return self._unread(request, error)

    def _unread(self, request: TurnRequest, error: SecretsError) -> TurnReport:
        message = f"its secrets cannot be read: {error}"
        return TurnReport(
            tool_id=self.tool_id,
            argv=self.command_line(request),
            exit_code=None,
            duration_s=0.0,
            signal=Outcome(kind=OutcomeKind.AUTH, message=message),
            message=message,
        )
