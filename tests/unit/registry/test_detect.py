"""Tools are found on the PATH and asked for their version as seldom as can be."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from penstock.registry.api import RegistryTool, ToolDetection
from penstock.registry.detect import detect_all, detect_tool
from tests.support.programs import Machine, tool


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """An empty machine."""
    return Machine(tmp_path)


def look(machine: Machine, wanted: RegistryTool, limit_s: float = 30.0) -> ToolDetection:
    """Look for one tool."""
    return detect_tool(wanted, environ=machine.environ, limit_s=limit_s)


def test_a_tool_that_is_not_there(machine: Machine) -> None:
    """There is no path, no version, and nothing is started."""
    found = look(machine, tool("gone"))
    assert found == ToolDetection(tool_id="gone")
    assert not found.detected


def test_a_tool_is_asked_once(machine: Machine) -> None:
    """The second look, in another process too, knows the version from the first."""
    path = machine.program("one")
    first, second = look(machine, tool("one")), look(machine, tool("one"))
    assert (first.path, first.version, first.version_from) == (str(path), "1.2.3", "asked")
    assert (second.version, second.version_from) == ("1.2.3", "cache")
    assert machine.times_asked("one") == 1


def test_a_changed_tool_is_asked_again(machine: Machine) -> None:
    """An update shows at once."""
    machine.program("one")
    look(machine, tool("one"))
    machine.program("one", 'echo "tool 2.0.0-beta"')
    assert look(machine, tool("one")).version == "2.0.0-beta"


def test_package_metadata_is_believed_without_asking(machine: Machine) -> None:
    """An npm package beside the program says its version."""
    package = machine.home / "node_modules" / "one"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"version": "7.7.7"}', encoding="utf-8")
    (package / "cli").write_text("#!/bin/sh\n", encoding="utf-8")
    (package / "cli").chmod(0o755)
    (machine.bin / "one").symlink_to(package / "cli")
    found = look(machine, tool("one"))
    assert (found.version, found.version_from) == ("7.7.7", "package")


def test_a_program_on_stderr_or_without_a_version(machine: Machine) -> None:
    """Either stream will do; words without a number are no version, and not asked for again."""
    machine.program("loud", "echo 3.4 >&2")
    machine.program("mute", "echo hello")
    machine.program("broken", "echo 1.2.3; exit 3")
    assert look(machine, tool("loud")).version == "3.4"
    for name in ("mute", "broken"):
        found = [look(machine, tool(name)) for _ in range(2)]
        assert [f.version for f in found] == [None, None]
        assert all(f.detected for f in found)
        assert machine.times_asked(name) == 1


def test_hanging_tools_hold_nobody_up(machine: Machine) -> None:
    """Many that hang take little more than one limit, and the others are known."""
    hanging = [f"hang{number}" for number in range(6)]
    for name in hanging:
        machine.program(name, "sleep 60")
    machine.program("fine")
    start = time.monotonic()
    wanted = [tool(name) for name in (*hanging, "fine")]
    found = detect_all(wanted, environ=machine.environ, limit_s=1.5)
    assert time.monotonic() - start < 10
    assert [found[name].version for name in hanging] == [None] * 6
    assert found["fine"].version == "1.2.3"


def test_a_command_that_must_succeed(machine: Machine) -> None:
    """`interpreter -m module` detects only when it ends with 0."""
    machine.program("interp", 'test "$2" = there && echo 5.0')
    there = tool("t", "interp", "-m", "there", version=("interp", "-m", "there"))
    gone = tool("g", "interp", "-m", "gone")
    assert look(machine, there).version == "5.0"
    assert not look(machine, gone).detected


def test_tools_that_share_a_program_have_their_own_versions(machine: Machine) -> None:
    """What was noted is of the command, not of the interpreter alone."""
    machine.program("interp", 'echo "$2"')
    one = tool("one", "interp", version=("interp", "-m", "1.1"))
    two = tool("two", "interp", version=("interp", "-m", "2.2"))
    for _ in range(2):
        assert (look(machine, one).version, look(machine, two).version) == ("1.1", "2.2")


def test_the_first_command_that_holds_counts(machine: Machine) -> None:
    """Further detect commands are alternatives."""
    machine.program("second")
    either = RegistryTool(
        tool_id="x", name="x", detect_commands=(("first",), ("second", "--version"))
    )
    assert look(machine, either).path == str(machine.bin / "second")


def test_a_program_that_cannot_be_started(machine: Machine) -> None:
    """It is there, and no more is known."""
    path = machine.bin / "odd"
    path.write_bytes(b"\x7fELF not really")
    path.chmod(0o755)
    found = look(machine, tool("odd"))
    assert (found.detected, found.version) == (True, None)


def test_children_get_no_keys(machine: Machine) -> None:
    """Naming a version takes no secret."""
    machine.program("nosy", 'echo "${OPENAI_API_KEY:-1.0}"')
    environ = {**machine.environ, "OPENAI_API_KEY": "9.9"}
    assert detect_tool(tool("nosy"), environ=environ, limit_s=30.0).version == "1.0"


def test_a_relative_path_entry_is_not_looked_into(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program in the current folder is not taken for a tool of the machine."""
    machine.program("here")
    monkeypatch.chdir(machine.bin)
    environ = {**machine.environ, "PATH": ".:/usr/bin:/bin"}
    assert not detect_tool(tool("here"), environ=environ, limit_s=30.0).detected
