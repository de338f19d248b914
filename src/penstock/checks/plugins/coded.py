"""Plugins that look at files with code of their own and start nothing."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterable, Sequence

from penstock.checks.api import Place
from penstock.checks.plugins.base import BasePlugin
from penstock.checks.plugins.port import Call, PluginResult, ToolMemory
from penstock.checks.regular import read_regular
from penstock.model.finding import Finding


class CodedPlugin(BasePlugin):
    """A checker in Python: `look` gets one file at a time."""

    @abstractmethod
    def look(self, path: str, data: bytes, place: Place) -> Iterable[Finding]:
        """Return what is wrong with a file of these bytes."""

    def find_tool(self, place: Place, memory: ToolMemory) -> None:
        """Return None: it needs no tool."""

    def command(
        self, files: Sequence[str], place: Place, call: Call, *, fix: bool = False
    ) -> tuple[str, ...]:
        """Return nothing: it starts nothing."""
        return ()

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Look at each file; one that cannot be read is a problem."""
        began, issues = time.monotonic(), list[Finding]()
        for path in files:
            if call.stop.asked:
                return self._result(began, issues, interrupted=True)
            try:
                data = read_regular(place.tree / path)
            except OSError as error:
                why = f"{path} cannot be read: {error.strerror or error}"
                return self._result(began, issues, problem=why)
            issues.extend(self.look(path, data, place))
        return self._result(began, issues)

    def _result(
        self,
        began: float,
        issues: Sequence[Finding],
        *,
        problem: str | None = None,
        interrupted: bool = False,
    ) -> PluginResult:
        return PluginResult(
            plugin_id=self.manifest.plugin_id,
            success=problem is None and not interrupted,
            issues=tuple(issues),
            duration_ms=round((time.monotonic() - began) * 1000),
            problem=problem,
            interrupted=interrupted,
        )
