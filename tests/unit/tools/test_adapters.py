"""Adapters that carry out ExecutionRequests, with real children."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from penstock.config.documents import ConfigFileError
from penstock.errors import ConfigError, ExecutionRequestError, NotFoundError
from penstock.model.execution import ExecutionRequest
from penstock.model.ids import next_ulid
from penstock.model.router import AppCapabilities, AppLimits
from penstock.process.api import Stop
from penstock.routing.requests import ExecutionRequestBuilder
from penstock.tools.adapters import (
    AdapterRegistry,
    PythonAdapter,
    ShellAdapter,
    ToolConfig,
)
from tests.support import python_tools
from tests.support.routers import app, content, write_router

ECHO = "import sys; print(sys.argv[1:]); print('bad', file=sys.stderr)"
SLOW = "import time; print('begun', flush=True); time.sleep(600)"


def config(*command: str, parallel: int = 1, kinds: tuple[str, ...] = ("edit",)) -> ToolConfig:
    """A tool that edits."""
    return ToolConfig(
        tool_id="t",
        command=command,
        capabilities=AppCapabilities(task_kinds=kinds),
        limits=AppLimits(max_parallel=parallel, timeout_seconds=60),
    )


def python(code: str, *arguments: str) -> ToolConfig:
    """A tool that is a line of Python."""
    return config(sys.executable, "-c", code, *arguments)


def request(prompt: str | None = None, **more: Any) -> ExecutionRequest:
    """A request for an edit."""
    made = ExecutionRequestBuilder(new_id=lambda: next_ulid(1, bytes(10)), clock=lambda: 0.0)
    made.with_task(
        more.pop("task_kind", "edit"), project_id="p", phase_id="q", workstream_id="ws-a"
    )
    tool, command = more.pop("tool_id", None), more.pop("command", None)
    made.with_tool(tool, command, allowed_tools=more.pop("allowed_tools", None))
    return made.with_input(prompt).with_limits(**more).build()


def test_a_program_gets_its_arguments_as_they_are(tmp_path: Path) -> None:
    """One placeholder is one argument, whatever is in it; no shell looks at it."""
    adapter = ShellAdapter(python(ECHO, "{prompt}", "{workstream_id}", "{cwd}"), folder=tmp_path)
    nasty = "$(touch x); 'a b' {not_ours}"
    done = adapter.execute(request(nasty))
    assert (done.success, done.exit_code, done.error_message) == (True, 0, None)
    assert done.stdout == f"{[nasty, 'ws-a', str(tmp_path)]}\n"
    assert done.stderr == "bad\n"
    assert done.duration_seconds > 0
    assert list(tmp_path.iterdir()) == []


def test_a_prompt_may_come_as_a_file(tmp_path: Path) -> None:
    """Only we can read it, and it is gone afterwards."""
    code = "import os,sys; p=sys.argv[1]; print(open(p).read(), oct(os.stat(p).st_mode)[-3:], p)"
    done = ShellAdapter(python(code, "{prompt_file}"), folder=tmp_path).execute(request("do it"))
    text, mode, path = done.stdout.rsplit(maxsplit=2)
    assert (text, mode, Path(path).exists()) == ("do it", "600", False)


def test_a_program_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    """And its exit code; without words the code is all there is."""
    code = "import sys; print('first\\nlast words\\n', file=sys.stderr); sys.exit(3)"
    done = ShellAdapter(python(code), folder=tmp_path).execute(request())
    assert (done.success, done.exit_code, done.error_message) == (False, 3, "last words")
    silent = ShellAdapter(python("raise SystemExit(4)"), folder=tmp_path).execute(request())
    assert silent.error_message == "ended with exit code 4"


def test_a_program_that_is_not_there_fails(tmp_path: Path) -> None:
    """With the documented exit code."""
    done = ShellAdapter(config("no-such-program-x"), folder=tmp_path).execute(request())
    assert (done.success, done.exit_code) == (False, -2)
    assert done.error_message == "no-such-program-x is not installed"


@pytest.mark.parametrize("given", [{"timeout": 0.5}, {}])
def test_a_time_limit_ends_a_program(tmp_path: Path, given: dict[str, float]) -> None:
    """The caller's limit, else the request's; what it printed is kept."""
    asked = request(timeout_seconds=60.0 if given else 1.0)
    done = ShellAdapter(python(SLOW), folder=tmp_path).execute(asked, **given)
    assert (done.success, done.exit_code, done.stdout) == (False, -1, "begun\n")
    assert (done.error_message or "").startswith("ended by its time limit")


def test_a_request_may_bring_its_own_command(tmp_path: Path) -> None:
    """To a tool that has none; braces in it mean nothing."""
    asked = request(command=[sys.executable, "-c", ECHO, "{prompt}", "{x}"])
    done = ShellAdapter(config(), folder=tmp_path).execute(asked)
    assert done.stdout == "['{prompt}', '{x}']\n"


@pytest.mark.parametrize(
    ("tool", "asked", "why"),
    [
        (config("true"), {"tool_id": "other"}, "it is for other, not for t"),
        (config("true"), {"allowed_tools": ["a", "b"]}, "it allows a, b only"),
        (config("true"), {"task_kind": "dance"}, "t does not do dance"),
        (config("true"), {"command": ["false"]}, "a command of its own"),
        (config(), {}, "there is no command to run"),
        (config("true"), {"prompt": "x"}, "no place for a prompt"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(
    tool: ToolConfig, asked: dict[str, Any], why: str
) -> None:
    """Nothing is started; the error says why."""
    adapter = ShellAdapter(tool)
    assert not adapter.validate_request(request(**asked))
    with pytest.raises(ExecutionRequestError, match=why):
        adapter.execute(request(**asked))


def test_a_request_that_fits_is_valid() -> None:
    """Named or not, the same command or none."""
    adapter = ShellAdapter(config("true"))
    asked = request(tool_id="t", allowed_tools=["t"], command=["true"])
    assert adapter.validate_request(asked)
    assert (adapter.supports_task("edit", "any"), adapter.supports_task("dance")) == (True, False)


def test_a_slot_is_waited_for_within_the_limit(tmp_path: Path) -> None:
    """max_parallel holds; a task that got no slot in time says so."""
    stop = Stop()
    adapter = ShellAdapter(python(SLOW), folder=tmp_path, stop=stop)
    first = threading.Thread(target=adapter.execute, args=(request(), 60.0))
    first.start()
    while adapter._slots._value:
        stop.wait(0.01)
    done = adapter.execute(request(), 0.1)
    assert done.error_message == "t had no slot free within 0.1 s"
    stop.ask()
    first.join(30)
    assert not first.is_alive()


def test_a_function_is_called_in_a_child(tmp_path: Path) -> None:
    """It gets the request; what it prints and returns comes back."""
    adapter = PythonAdapter(config(), python_tools.answer, folder=tmp_path)
    done = adapter.execute(request("do it"))
    assert (done.success, done.stdout) == (True, "asked for edit\n")
    result = done.metadata["result"]
    assert (result["prompt"], result["here"]) == ("do it", str(tmp_path))
    assert result["pid"] != os.getpid()


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        (python_tools.fail, 1, "RuntimeError: cannot edit"),
        (python_tools.odd, 1, "object"),
        (python_tools.leave, 7, "ended with exit code 7"),
        ("tests.support.python_tools:nothing", 1, "nothing"),
        ("no_such_module:f", 1, "ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_a_function_that_fails_fails_the_request(
    tmp_path: Path, function: Any, code: int, words: str
) -> None:
    """Raising, returning what is no JSON, ending the process, not being there."""
    done = PythonAdapter(config(), function, folder=tmp_path).execute(request())
    assert (done.success, done.exit_code, done.metadata) == (False, code, {})
    assert words in (done.error_message or "")


def test_a_time_limit_ends_a_function(tmp_path: Path) -> None:
    """A child can be ended, a thread could not."""
    done = PythonAdapter(config(), python_tools.hang, folder=tmp_path).execute(request(), 2.0)
    assert (done.success, done.exit_code) == (False, -1)


@pytest.mark.parametrize("function", [lambda _: None, python_tools.made()])
def test_a_function_that_no_child_could_import_is_refused(function: Any) -> None:
    """Before anything is started."""
    with pytest.raises(ConfigError, match="a child cannot import"):
        PythonAdapter(config(), function)


def test_a_function_whose_name_means_another_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child would call the wrong one."""
    original = python_tools.answer
    monkeypatch.setattr(python_tools, "answer", python_tools.fail)
    with pytest.raises(ConfigError, match="another function"):
        PythonAdapter(config(), original)


def test_adapters_come_from_the_router_configuration(tmp_path: Path) -> None:
    """One for each app: a program, or a Python function."""
    function = "python:tests.support.python_tools:answer"
    apps = {"sh": app("edit", command="true"), "py": app("edit", "ask", command=function)}
    registry = AdapterRegistry()
    path = write_router(tmp_path, content(apps=apps))
    assert registry.load_from_config(str(path)) == ("sh", "py")
    assert isinstance(registry.get("sh"), ShellAdapter)
    assert isinstance(registry.get("py"), PythonAdapter)
    assert [a.config.tool_id for a in registry.find_for_task("edit")] == ["sh", "py"]
    assert [a.config.tool_id for a in registry.find_for_task("ask")] == ["py"]
    assert registry.get("py").execute(request()).success


def test_a_registered_adapter_replaces_the_one_before() -> None:
    """Of the same tool; an unknown tool is named with those that are known."""
    registry, adapter = AdapterRegistry(), ShellAdapter(config("true"))
    with pytest.raises(NotFoundError, match="known: none"):
        registry.get("t")
    registry.register(ShellAdapter(config("false")))
    registry.register(adapter)
    assert registry.get("t") is adapter
    with pytest.raises(NotFoundError, match="no adapter for 'z'; known: t"):
        registry.get("z")


def test_a_missing_configuration_is_an_error(tmp_path: Path) -> None:
    """Nothing is registered."""
    with pytest.raises(ConfigFileError, match="no such file"):
        AdapterRegistry().load_from_config(tmp_path)
