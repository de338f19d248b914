"""Plugins that others have written: whatever they do, it ends as a result or as a line."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import msgspec

from penstock.checks.api import Place
from penstock.checks.plugins.base import BasePlugin
from penstock.checks.plugins.manifests import mistakes
from penstock.checks.plugins.port import (
    Call,
    PluginResult,
    ToolFacts,
    ToolMemory,
    Unavailable,
)
from penstock.errors import ConfigError
from penstock.model.manifest import Manifest
from penstock.typed import typed

_MEMBERS = ("check_tool_available", "build_command", "execute")


class Guard:
    """Runs the code of others: `error` is what it raised. A wish to stop passes through."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> Guard:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        # sys.exit() in a plugin is meant for a program of its own, it must not end ours
        if isinstance(error, (Exception, SystemExit)):
            self.error = error
            return True
        return False

    @property
    def said(self) -> str:
        """What was raised, as a line."""
        words = " ".join(str(self.error).split())
        return f"{type(self.error).__name__}: {words}" if words else type(self.error).__name__


class ForeignPlugin(BasePlugin):
    """A plugin object with the documented members, or with all of `port.Plugin`.

    What it raises is a problem of its batch; what it returns is taken by the names of its
    members, whatever class it is of.
    """

    def __init__(self, made: Any, manifest: Manifest, origin: str, made_of: str) -> None:
        """Wrap an object. Raises ConfigError when it is no plugin."""
        super().__init__(manifest, origin, made_of)
        self._made = made
        self._batches = callable(getattr(made, "check", None))
        missing = [name for name in _MEMBERS if not callable(getattr(made, name, None))]
        if missing and not self._batches:
            raise ConfigError(f"what register() returns has no {', '.join(missing)}")

    def matches(self, path: str, head: bytes) -> bool:
        """Tell whether it wants a file; when its own `matches` fails, by its manifest."""
        own = getattr(self._made, "matches", None)
        if own is None:
            return super().matches(path, head)
        with Guard():
            return bool(own(path, head))
        return super().matches(path, head)

    def find_tool(self, place: Place, memory: ToolMemory) -> ToolFacts | Unavailable | None:
        """Find its tool: by its own `find_tool`, else by asking whether it is there."""
        own = getattr(self._made, "find_tool", None)
        with Guard() as guard:
            if own is not None:
                found = own(place, memory)
                if found is None or isinstance(found, (ToolFacts, Unavailable)):
                    return found
                return Unavailable(reason=f"find_tool returned {type(found).__name__}")
            if self._made.check_tool_available():
                return None
            return Unavailable(reason="its tool is not installed", hint=self._hint())
        return Unavailable(reason=f"it could not look for its tool: {guard.said}")

    def _hint(self) -> str | None:
        tool = self.manifest.tool
        return None if tool is None else tool.install or f"install {tool.command}"

    def arguments(self, *, fix: bool) -> tuple[str, ...]:
        """Return its own arguments, and those that the manifest stands for."""
        own = getattr(self._made, "arguments", None)
        with Guard():
            given = () if own is None else tuple(map(str, own(fix=fix)))
            return (*given, *super().arguments(fix=fix))
        return super().arguments(fix=fix)

    def command(
        self, files: Sequence[str], place: Place, call: Call, *, fix: bool = False
    ) -> tuple[str, ...]:
        """Return the command that it would use for the first file."""
        with Guard():
            return tuple(map(str, self._made.build_command(str(place.tree / files[0]))))
        return ()

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Give it the batch, or one file after the other."""
        if self._batches:
            return self._guarded("check", files, place, call)
        results = []
        for path in files:
            if call.stop.asked:
                return PluginResult(
                    plugin_id=self.manifest.plugin_id, success=False, interrupted=True
                )
            results.append(self._guarded("execute", str(place.tree / path)))
        return self._joined(results)

    def fix(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Let it rewrite the batch, if it can."""
        if callable(getattr(self._made, "fix", None)):
            return self._guarded("fix", files, place, call)
        return super().fix(files, place, call)

    def _guarded(self, member: str, *given: object) -> PluginResult:
        with Guard() as guard:
            said = getattr(self._made, member)(*given)
            result = typed(said, PluginResult, from_attributes=True)
            return self._honest(result)
        return self.failed(f"{self.manifest.plugin_id} failed in {member}(): {guard.said}")

    def _honest(self, result: PluginResult) -> PluginResult:
        """A result without success has a problem, unless it was interrupted."""
        problem = result.problem
        if not (result.success or result.interrupted or problem):
            said = " ".join((result.stderr or result.stdout).split())[-400:]
            problem = f"it says that it could not do its work: {said or 'and not why'}"
        return msgspec.structs.replace(
            result,
            plugin_id=self.manifest.plugin_id,
            success=problem is None and not result.interrupted,
            problem=problem,
        )

    def _joined(self, results: Sequence[PluginResult]) -> PluginResult:
        problems = [result.problem for result in results if result.problem]
        return PluginResult(
            plugin_id=self.manifest.plugin_id,
            success=all(result.success for result in results),
            issues=tuple(found for result in results for found in result.issues),
            stdout="".join(result.stdout for result in results),
            stderr="".join(result.stderr for result in results),
            returncode=max((result.returncode or 0 for result in results), default=None),
            duration_ms=sum(result.duration_ms for result in results),
            problem=problems[0] if problems else None,
            interrupted=any(result.interrupted for result in results),
        )


def manifest_of(made: Any) -> Manifest:
    """Return the manifest of an object that has no folder. Raises ConfigError."""
    given = getattr(made, "manifest", None)
    if given is None:
        raise ConfigError("it has no manifest")
    try:
        manifest = typed(given, Manifest, from_attributes=True)
    except msgspec.ValidationError as error:
        raise ConfigError(f"its manifest is wrong: {error}") from error
    wrong = next(mistakes(manifest), None)
    if wrong is not None:
        raise ConfigError(f"its manifest is wrong: {wrong}")
    return manifest
