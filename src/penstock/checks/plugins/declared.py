"""Plugins that their manifest describes in full: a tool, its arguments, and a reader."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePath

from penstock.checks.api import Place
from penstock.checks.plugins.base import BasePlugin
from penstock.checks.plugins.configured import first_config
from penstock.checks.plugins.judging import Verdict, is_cut, judge
from penstock.checks.plugins.port import (
    Call,
    Parsed,
    PluginResult,
    RawOutput,
    ToolFacts,
    ToolMemory,
    Unavailable,
)
from penstock.checks.plugins.readers.table import reader
from penstock.checks.plugins.toolfind import find_tool, tool_environment
from penstock.folders import remove_tree
from penstock.model.manifest import ToolSpec
from penstock.process.api import Command, End, Outcome

KEEP_BYTES = 48 << 20
"""How much of each stream is kept; a tool that prints more has a problem."""
MAX_REPORT = KEEP_BYTES
FILES_IN_TIME = 50
"""Files for which the time limit of a manifest holds; a larger batch gets more in proportion."""
_MAX_TEXT = 16_000
"""Bytes at the end of each stream that go with a result."""
_FILES = "{files}"
_ODD_STARTS = ("-", "@", "+", "!", "~", "#")
"""What tools may take a name for that begins so: an option, a file of options, a pattern."""


class ManifestPlugin(BasePlugin):
    """A plugin that starts a tool.

    Plugins with a `plugin.py` may replace `find_tool`, `extra_arguments`, `command` or `read`.
    """

    @property
    def tool(self) -> ToolSpec:
        """The tool of the manifest. Raises ValueError when it has none."""
        if self.manifest.tool is None:
            raise ValueError(f"{self.manifest.plugin_id} declares no tool")
        return self.manifest.tool

    def find_tool(self, place: Place, memory: ToolMemory) -> ToolFacts | Unavailable:
        """Find the tool; starts nothing when its version is stated or remembered."""
        return find_tool(self.tool, place, memory, network=self.manifest.depends.network)

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Look at a batch of files as they are."""
        return self._run(files, place, call, fix=False)

    def fix(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Rewrite files of the tree in place."""
        if not self.tool.fix_arguments:
            return super().fix(files, place, call)
        return self._run(files, place, call, fix=True)

    def command(
        self, files: Sequence[str], place: Place, call: Call, *, fix: bool = False
    ) -> tuple[str, ...]:
        """Return the whole command for a batch of files."""
        return self._argv(files, place, call, call.scratch / "report", fix=fix)

    def extra_arguments(self, files: Sequence[str], place: Place, call: Call) -> tuple[str, ...]:
        """Return arguments that go before the manifest's own, for plugins that work them out."""
        return ()

    def read(self, raw: RawOutput) -> Parsed:
        """Read what the tool left behind."""
        spec = self.manifest.output
        return Parsed(()) if spec is None else reader(spec.reader)(raw, spec)

    # -- one run ---------------------------------------------------------------------------------
    def _run(self, files: Sequence[str], place: Place, call: Call, *, fix: bool) -> PluginResult:
        import tempfile  # not needed while all results are known

        try:
            scratch = Path(tempfile.mkdtemp(prefix="run-", dir=call.scratch))
        except OSError as error:
            return self.failed(f"no folder for a run can be made: {error.strerror or error}")
        try:
            return self._run_in(scratch, files, place, call, fix=fix)
        finally:
            remove_tree(scratch)

    def _run_in(
        self, scratch: Path, files: Sequence[str], place: Place, call: Call, *, fix: bool
    ) -> PluginResult:
        from penstock.process.run import run  # not needed while all results are known

        report = scratch / "report"
        argv = self._argv(files, place, call, report, fix=fix)
        limit_s = self.tool.timeout_s * max(1.0, len(files) / FILES_IN_TIME)
        command = Command(
            argv=argv,
            cwd=place.tree,
            env=self._environment(place, call, scratch),
            wall_s=limit_s,
            keep_bytes=KEEP_BYTES,
            marker=call.marker,
        )
        outcome = run(command, call.stop)
        try:
            parsed = self._parsed(outcome, report, place)
        except OSError as error:
            parsed = Parsed((), ok=False, why=f"its report: {error.strerror or error}")
        verdict = judge(self.tool, outcome, parsed, fixing=fix, limit_s=limit_s)
        return self._result(argv, outcome, verdict, call)

    def _argv(
        self, files: Sequence[str], place: Place, call: Call, report: Path, *, fix: bool
    ) -> tuple[str, ...]:
        executable = call.tool.executable if call.tool is not None else self.tool.command
        given = self.tool.fix_arguments if fix else self.tool.arguments
        if _FILES not in given:
            given = (*given, _FILES)
        filled = _Filling(self.tool, place, call, report)
        words = [str(executable), *self.extra_arguments(files, place, call)]
        for word in given:
            words += map(_plain_name, files) if word == _FILES else [filled(word)]
        return tuple(words)

    def _environment(self, place: Place, call: Call, scratch: Path) -> dict[str, str]:
        env = tool_environment(place, network=self.manifest.depends.network)
        filled = _Filling(self.tool, place, call, scratch / "report")
        env["TMPDIR"] = str(scratch)
        env.update({name: filled(value) for name, value in self.tool.env.items()})
        return env

    def _parsed(self, outcome: Outcome, report: Path, place: Place) -> Parsed:
        """Read the output of a tool that has ended by itself. Raises OSError for its report."""
        if outcome.end is not End.EXITED or is_cut(outcome):
            return Parsed((), ok=False)
        raw = RawOutput(
            outcome.stdout,
            outcome.stderr,
            _report(report),
            outcome.exit_code or 0,
            place.tree,
            PurePath(self.tool.command).name,
        )
        return self.read(raw)

    def _result(
        self, argv: Sequence[str], outcome: Outcome, verdict: Verdict, call: Call
    ) -> PluginResult:
        return PluginResult(
            plugin_id=self.manifest.plugin_id,
            success=verdict.problem is None and not verdict.interrupted,
            issues=verdict.findings,
            stdout=_end(outcome.stdout),
            stderr=_end(outcome.stderr),
            returncode=outcome.exit_code,
            duration_ms=round(outcome.duration_s * 1000),
            metadata={
                "command": list(argv),
                "version": call.tool.version if call.tool is not None else "",
                "timed_out": outcome.timed_out,
            },
            problem=verdict.problem,
            interrupted=verdict.interrupted,
        )


class _Filling:
    """Fills in what stands in braces in an argument or a variable."""

    def __init__(self, tool: ToolSpec, place: Place, call: Call, report: Path) -> None:
        self._tool, self._place = tool, place
        self._values = {
            "{report}": str(report),
            "{cache}": str(call.cache),
            "{scratch}": str(report.parent),
        }

    def __call__(self, word: str) -> str:
        for name, value in self._values.items():
            word = word.replace(name, value)
        if "{config}" in word:
            found = first_config(self._tool.needs_config, self._place.tree)
            word = word.replace("{config}", found or "")
        return word


def _plain_name(path: str) -> str:
    return f"./{path}" if path.startswith(_ODD_STARTS) else path


def _end(stream: bytes) -> str:
    return stream[-_MAX_TEXT:].decode("utf-8", "replace")


def _report(path: Path) -> bytes | None:
    """Return what a tool wrote into its report, None when it wrote none. Raises OSError."""
    try:
        # the tool was free to put anything there, a FIFO would hang us
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        data = stream.read(MAX_REPORT + 1)
    if len(data) > MAX_REPORT:
        raise OSError(f"it is larger than {MAX_REPORT} bytes")
    return data
