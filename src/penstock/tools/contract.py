"""Does an installed AI CLI still keep to what its adapter relies on?"""

from __future__ import annotations

import re
import tempfile
import uuid
from pathlib import Path

import msgspec

from penstock.errors import NotFoundError
from penstock.process import api as process
from penstock.process.api import Command
from penstock.process.environment import child_environment
from penstock.process.run import run
from penstock.tools.api import Tool, TurnRequest
from penstock.tools.contracts import CONTRACTS, Contract

PROBE_WALL_S = 60.0
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[-+.]?\w+)*")


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe found: the version, and every mismatch as a sentence; none means healthy.

    `measured` is the version that the adapter was measured with; another one is no mismatch.
    `proven` is False for an adapter that was never run against the real client.
    """

    tool_id: str
    version: str | None
    measured: str | None
    proven: bool = True
    mismatches: tuple[str, ...] = ()


def probe(tool_id: str) -> Probe:
    """Start a tool's `--version` and `--help` and hold them against its contract.

    Takes no key and makes no request; the tool gets a HOME of its own that is removed afterwards.
    Raises NotFoundError for a tool that has no contract.
    """
    if tool_id not in CONTRACTS:
        known = ", ".join(sorted(CONTRACTS))
        raise NotFoundError(
            f"the tool {tool_id!r} has no contract", hint=f"those with one: {known}"
        )
    contract = CONTRACTS[tool_id]
    tool = contract.tool()
    missing = tool.available()
    if missing:
        return _found(tool, contract, None, (missing,))
    with tempfile.TemporaryDirectory(prefix="penstock-probe-") as home:
        return _probe(tool, contract, Path(home))


def used_flags(tool: Tool) -> tuple[str, ...]:
    """Return the options that the adapter may pass."""
    request = TurnRequest(
        run_id="probe", ws_id="ws-probe", step="edit", turn=0, worktree=Path(), repo_root=Path(),
        prompt="", prompt_file=Path("prompt"), files=(), home=Path(), log=Path("log"),
        marker="probe", model="model", max_cost_usd=1.0,
    )  # fmt: skip
    given = (arg for arg in tool.command_line(request) if arg.strip("-") and arg.startswith("-"))
    return tuple(dict.fromkeys(arg.partition("=")[0] for arg in given))


def _probe(tool: Tool, contract: Contract, home: Path) -> Probe:
    version: str | None = None
    wrong: list[str] = []
    if contract.executable:
        version, wrong = _asked(tool, contract, contract.executable, home)
    if not contract.understood(contract.sample):
        wrong.append("the recorded stream is not understood")
    return _found(tool, contract, version, tuple(wrong))


def _asked(
    tool: Tool, contract: Contract, executable: str, home: Path
) -> tuple[str | None, list[str]]:
    """Return the version of an installed client, and what does not fit."""
    version = _ask(contract, (executable, *contract.version_args), home)
    text = _ask(contract, (executable, *contract.help_args), home)
    found = _VERSION.search(version.text) or _VERSION.search(version.error_text)
    how = " ".join((executable, *contract.version_args))
    wrong = [] if found else [f"{how} names no version"]
    wrong += [
        f"{executable} no longer knows {flag}"
        for flag in used_flags(tool)
        if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", text.text + text.error_text)
    ]
    return (found[0] if found else None), wrong


def _found(
    tool: Tool, contract: Contract, version: str | None, mismatches: tuple[str, ...]
) -> Probe:
    return Probe(
        tool_id=tool.tool_id,
        version=version,
        measured=contract.measured,
        proven=contract.proven,
        mismatches=mismatches,
    )


def _ask(contract: Contract, argv: tuple[str, ...], home: Path) -> process.Outcome:
    extra = {"HOME": str(home), "COLUMNS": "200", **contract.environment()}
    command = Command(
        argv=argv,
        cwd=home,
        env=child_environment(extra=extra),
        wall_s=PROBE_WALL_S,
        marker=f"probe/{uuid.uuid4().hex}",
    )
    return run(command)
