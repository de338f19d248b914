"""How a turn's edits become what a client understands: its own tool calls, or text for aider."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath

from tests.support.endpoint_plan import Turn
from tests.support.endpoint_wire import Ask, Call, Say

_CWD = re.compile(
    r"(?:working (?:in the )?directory:\s*|<cwd>|Workspace Directories:\*\*\s*- )([^\n<]+)",
    re.IGNORECASE,
)
_SUBMIT = Call("bash", {"command": "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"})
"""The last word of a model to a client whose model must always call its only tool."""
_LISTED_FILE = re.compile(
    r"^(?P<path>\S+)\n(?P<fence>`{3,})\w*\n(?P<text>.*?)^(?P=fence)$", re.DOTALL | re.MULTILINE
)


_SHELLS = ("Bash", "bash", "run_shell_command")
_WRITERS = {
    "Write": ("Read", "file_path"),
    "write_file": ("read_file", "file_path"),
    "write": ("read", "filePath"),
}
"""Tools that write whole files: the tool that must have read an existing one, and the name of
the argument that holds the path."""


def next_say(turn: Turn, ask: Ask) -> Say:
    """Return the reply that is due after the tool results in `ask`.

    A request without tools comes from a text client, or asks for a title or the like: both get
    text.
    """
    if not ask.tools:
        return Say(text_edit(turn, ask), turn.usage, last=True)
    calls = moves(turn, ask)
    if ask.results < len(calls):
        return Say("", turn.usage, calls[ask.results])
    if ask.tools == {"bash"}:
        return Say(turn.text, turn.usage, _SUBMIT, last=True)
    return Say(turn.text, turn.usage, last=True)


def moves(turn: Turn, ask: Ask) -> tuple[Call, ...]:
    """Return every tool call of a turn, by the names of the tools that the model is offered."""
    shell = [_shell(command, ask) for command in turn.commands]
    edits = [call for path, text in turn.edits.items() for call in _edit(path, text, ask)]
    return (*shell, *edits)


def _shell(command: str, ask: Ask) -> Call:
    if "exec" in ask.tools:
        return _script("exec_command", {"cmd": command})
    if "exec_command" in ask.tools:
        return Call("exec_command", {"cmd": command})
    shell = next((name for name in _SHELLS if name in ask.tools), "Bash")
    return Call(shell, {"command": command, "description": "Run a command"})


def _script(tool: str, argument: object) -> Call:
    """Return a call of Codex's tool that runs JavaScript, which calls the real tool."""
    return Call("exec", f"text(await tools.{tool}({json.dumps(argument)}));")


def _edit(path: str, text: str, ask: Ask) -> tuple[Call, ...]:
    if "exec" in ask.tools:
        return (_script("apply_patch", _patch(path, text)),)
    if "apply_patch" in ask.tools:
        return (Call("apply_patch", _patch(path, text)),)
    for write, (read, name) in _WRITERS.items():
        if write in ask.tools:
            named = {name: absolute(path, ask)}
            return Call(read, named), Call(write, {**named, "content": text})
    target, folder = shlex.quote(path), shlex.quote(str(PurePosixPath(path).parent))
    return (_shell(f"mkdir -p {folder} && printf %s {shlex.quote(text)} > {target}", ask),)


def _patch(path: str, text: str) -> str:
    added = "".join(f"+{line}\n" for line in text.splitlines())
    return f"*** Begin Patch\n*** Add File: {path}\n{added}*** End Patch\n"


def absolute(path: str, ask: Ask) -> str:
    """Return a path under the working directory that the client named in its request.

    Raises ValueError when it named none.
    """
    if PurePosixPath(path).is_absolute():
        return path
    found = _CWD.search(f"{ask.system}\n{ask.prompt}")
    if found is None:
        message = "the request names no working directory"
        raise ValueError(message)
    return str(PurePosixPath(found[1].strip()) / path)


def text_edit(turn: Turn, ask: Ask) -> str:
    """Return a turn's edits in the text format that the client asked for, then its last word."""
    blocks = "*SEARCH/REPLACE" in ask.system or "SEARCH/REPLACE block" in ask.system
    make = _search_replace if blocks else _whole_file
    listed = listed_files(ask.prompt)
    return "\n\n".join(
        [*(make(path, text, listed) for path, text in turn.edits.items()), turn.text]
    )


def listed_files(prompt: str) -> Mapping[str, str]:
    """Return the files that aider put into its prompt, the last listing of each path."""
    return {found["path"]: found["text"] for found in _LISTED_FILE.finditer(prompt)}


def _whole_file(path: str, text: str, _listed: Mapping[str, str]) -> str:
    return f"{path}\n```\n{text}```"


def _search_replace(path: str, text: str, listed: Mapping[str, str]) -> str:
    before = listed.get(path, "")
    return f"{path}\n```\n<<<<<<< SEARCH\n{before}=======\n{text}>>>>>>> REPLACE\n```"
