"""Plugins that others have written, in the documented form and in the full one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from penstock.checks.plugins.base import ForgetfulMemory
from penstock.checks.plugins.foreign import ForeignPlugin, Guard, manifest_of
from penstock.checks.plugins.port import PluginResult, ToolFacts, Unavailable
from penstock.errors import ConfigError
from penstock.model.finding import Category, Severity
from penstock.model.manifest import Manifest
from tests.support.plugins import Bench, manifest

MEMORY = ForgetfulMemory()


def result(**changes: Any) -> dict[str, Any]:
    """Return a documented result."""
    return {
        "plugin_id": "theirs", "success": True, "issues": [], "stdout": "o", "stderr": "e",
        "returncode": 0, "duration_ms": 5, "metadata": {},
    } | changes  # fmt: skip


class Documented:
    """The documented object: it answers with what it was given, and notes the paths."""

    def __init__(self, *answers: Any, available: bool = True) -> None:
        self.answers, self.available, self.paths = list(answers), available, list[str]()

    def check_tool_available(self) -> bool:
        """Tell whether the tool is there."""
        return self.available

    def build_command(self, path: str) -> list[str]:
        """Return a command."""
        return ["theirs", path]

    def execute(self, path: str) -> Any:
        """Return or raise the next answer."""
        self.paths.append(path)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def foreign(made: Any, **changes: Any) -> ForeignPlugin:
    """Return the plugin around an object."""
    return ForeignPlugin(made, manifest(**changes), "a test", "digest")


@pytest.fixture(name="bench")
def _bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_batch_is_given_file_by_file(bench: Bench) -> None:
    """The documented object gets each file by its whole path, and the answers are joined."""
    issue = {"tool": "t", "message": "m", "category": "style", "severity": "info"}
    made = Documented(result(issues=[issue]), result(returncode=3))
    joined = foreign(made).check(["a.py", "b/c.py"], bench.place, bench.call())
    assert made.paths == [str(bench.tree / "a.py"), str(bench.tree / "b/c.py")]
    assert joined.success
    assert (joined.stdout, joined.stderr, joined.returncode) == ("oo", "ee", 3)
    assert (joined.duration_ms, joined.plugin_id) == (10, "spell")
    assert [(i.category, i.severity) for i in joined.issues] == [(Category.STYLE, Severity.INFO)]


def test_objects_are_taken_by_their_members(bench: Bench) -> None:
    """A result of any class counts by the names of its members."""
    made = Documented(SimpleNamespace(**result()))
    assert foreign(made).check(["a"], bench.place, bench.call()).success


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ValueError("bad luck\nat all"), "ValueError: bad luck at all"),
        (SystemExit(2), "SystemExit: 2"),
        (AssertionError(), "failed in execute(): AssertionError"),
        (None, "ValidationError"),
        ({"plugin_id": "x"}, "missing required field"),
        (result(issues=[{"message": 5}]), "ValidationError"),
        (result(success=False, stderr="no\nlicence"), "could not do its work: no licence"),
        (result(success=False, stdout="", stderr=""), "and not why"),
        (result(problem="it broke"), "it broke"),
    ],
)
def test_whatever_it_does_wrong_is_a_problem(bench: Bench, answer: Any, said: str) -> None:
    """What it raises, or returns that is no result, is a problem of the batch and no pass."""
    joined = foreign(Documented(answer, result())).check(["a", "b"], bench.place, bench.call())
    assert not joined.success
    assert joined.problem is not None
    assert said in joined.problem


def test_an_interrupt_passes_through(bench: Bench) -> None:
    """A wish to stop is not taken for a failure of the plugin."""
    with pytest.raises(KeyboardInterrupt):
        foreign(Documented(KeyboardInterrupt())).check(["a"], bench.place, bench.call())


def test_a_stop_ends_the_batch(bench: Bench) -> None:
    """Between two files it is seen that the user wants to stop."""
    bench.stop.ask()
    made = Documented(result())
    stopped = foreign(made).check(["a"], bench.place, bench.call())
    assert (stopped.success, stopped.interrupted, made.paths) == (False, True, [])


def test_files_are_matched_by_the_manifest(bench: Bench) -> None:
    """Without a `matches` of its own, the manifest says which files it wants."""
    plugin = foreign(Documented(), file_extensions=("py",))
    assert (plugin.matches("a.py", b""), plugin.matches("a.txt", b"")) == (True, False)


def test_its_tool_is_asked_for(bench: Bench) -> None:
    """check_tool_available tells whether the plugin can work, the manifest how to install it."""
    assert foreign(Documented()).find_tool(bench.place, MEMORY) is None
    absent = foreign(Documented(available=False), tool={"install": "pip install spell"})
    found = absent.find_tool(bench.place, MEMORY)
    assert found == Unavailable(reason="its tool is not installed", hint="pip install spell")


class Full(Documented):
    """An object with all members; those in `broken` raise."""

    def __init__(self, answer: Any = None, broken: str = "") -> None:
        super().__init__()
        self.answer, self.broken = answer, broken

    def _answer(self, member: str, value: Any) -> Any:
        if member == self.broken:
            raise LookupError(member)
        return value

    def matches(self, path: str, *_: Any) -> Any:
        """Want files by their name."""
        return self._answer("matches", path.startswith("x"))

    def find_tool(self, *_: Any) -> Any:
        """Return the answer."""
        return self._answer("find_tool", self.answer)

    def arguments(self, *, fix: bool) -> Any:
        """Return arguments."""
        return self._answer("arguments", ("--fix",) if fix else ("-v",))

    def check(self, files: Any, *_: Any) -> Any:
        """Return the answer."""
        return self._answer("check", result(stdout=",".join(files)))

    def fix(self, *_: Any) -> Any:
        """Return the answer."""
        return self._answer("fix", result(stdout="fixed"))

    def build_command(self, path: str) -> Any:
        """Return a command."""
        return self._answer("build_command", ["theirs", path])


def test_a_full_plugin_gets_the_batch(bench: Bench) -> None:
    """An object with check() and fix() gets all files at once."""
    plugin = foreign(Full())
    assert plugin.check(["a", "b"], bench.place, bench.call()).stdout == "a,b"
    assert plugin.fix(["a"], bench.place, bench.call()).stdout == "fixed"
    assert plugin.matches("xyz", b"")
    assert not plugin.matches("abc", b"")
    assert plugin.arguments(fix=True) == ("--fix", "plugin digest")
    assert plugin.command(["a"], bench.place, bench.call()) == ("theirs", str(bench.tree / "a"))


def test_a_full_plugin_that_fails(bench: Bench) -> None:
    """Each member that raises gives way to the manifest, or is a problem."""
    assert foreign(Full(broken="matches")).matches("abc", b"")
    assert foreign(Full(broken="arguments")).arguments(fix=False) == ("plugin digest",)
    broken = foreign(Full(broken="build_command"))
    assert broken.command(["a"], bench.place, bench.call()) == ()
    problem = foreign(Full(broken="check")).check(["a"], bench.place, bench.call()).problem
    assert problem == "spell failed in check(): LookupError: check"
    assert not foreign(Full(broken="fix")).fix(["a"], bench.place, bench.call()).success


def test_only_what_can_fix_fixes(bench: Bench) -> None:
    """The documented object has no fix, which is said."""
    refused = foreign(Documented()).fix(["a"], bench.place, bench.call())
    assert refused.problem == "spell cannot fix anything"


def test_its_way_of_finding_a_tool(bench: Bench) -> None:
    """What find_tool returns is taken if it is what it should be."""
    facts = ToolFacts(executable=Path("/x"), version="1", identity="i")
    assert foreign(Full(facts)).find_tool(bench.place, MEMORY) == facts
    assert foreign(Full(None)).find_tool(bench.place, MEMORY) is None
    odd = foreign(Full("x")).find_tool(bench.place, MEMORY)
    assert odd == Unavailable(reason="find_tool returned str")
    raising = foreign(Full(broken="find_tool")).find_tool(bench.place, MEMORY)
    assert isinstance(raising, Unavailable)
    assert "LookupError" in raising.reason


def test_without_the_documented_members_it_is_none() -> None:
    """An object that can neither check a batch nor a file is refused."""
    with pytest.raises(ConfigError, match="has no check_tool_available, build_command, execute"):
        foreign(object())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "no manifest"),
        ({"plugin_id": "x"}, "missing required field"),
        (5, "manifest is wrong"),
        ({"plugin_id": "X", "name": "x"}, "lower-case"),
    ],
)
def test_a_manifest_of_an_object_is_looked_at(given: Any, said: str) -> None:
    """An object without a folder has its manifest with it, and that must be right."""
    with pytest.raises(ConfigError, match=said):
        manifest_of(SimpleNamespace(manifest=given))


def test_a_manifest_of_an_object_may_be_a_value() -> None:
    """A Manifest and its JSON form are the same."""
    value = msgspec.to_builtins(manifest())
    assert manifest_of(SimpleNamespace(manifest=value)) == manifest()
    assert isinstance(manifest_of(SimpleNamespace(manifest=manifest())), Manifest)


def test_a_guard_without_trouble_says_nothing() -> None:
    """A guard takes what is raised within it, and leaves the rest alone."""
    with Guard() as guard:
        pass
    assert guard.error is None
    assert PluginResult(plugin_id="x", success=True).issues == ()
