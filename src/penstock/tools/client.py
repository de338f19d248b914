"""What adapters of AI CLIs have in common: a command, an environment, a reader of its output."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from penstock.process.api import FilterFactory, Stop
from penstock.tools.api import TurnReport, TurnRequest
from penstock.tools.turn import Reader, launch_of, missing, run_turn


class ClientTool(ABC):
    """Drives one CLI: a subclass says how it is called and how its output is read."""

    tool_id: str
    executable: str
    install: str
    prompt_on_stdin: bool = True

    @abstractmethod
    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv, without a secret, without writing anything."""

    @abstractmethod
    def environment(self, request: TurnRequest) -> Mapping[str, str]:
        """Write the client's configuration and return the child's whole environment.

        Raises EnvironmentProblem when the configuration cannot be written.
        """

    @abstractmethod
    def own_login(self) -> bool:
        """Tell whether a turn would use the login of the user: see Tool."""

    @abstractmethod
    def reader(self, request: TurnRequest) -> Reader:
        """Return a fresh reader for one turn's output."""

    def available(self) -> str | None:
        """Return None when it is on the PATH, else how to install it."""
        return missing(self.executable, self.install)

    def run(self, request: TurnRequest, stop: Stop, make_filter: FilterFactory) -> TurnReport:
        """Run one turn."""
        stdin: Path | None = request.prompt_file if self.prompt_on_stdin else None
        argv, env = self.command_line(request), self.environment(request)
        launch = launch_of(request, argv, env, stdin=stdin)
        return run_turn(self.tool_id, launch, self.reader(request), request, stop, make_filter)
