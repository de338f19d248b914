"""mini-swe-agent (PyPI `mini-swe-agent`, measured with 2.4.6), run headlessly."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.model.outcome import Outcome, OutcomeKind, Usage
from penstock.process import api as process
from penstock.process.environment import child_environment
from penstock.tools.aider import BASES, KEYS, judge_error
from penstock.tools.api import TurnRequest
from penstock.tools.client import ClientTool
from penstock.tools.streams import amount, items, table, text, whole
from penstock.tools.texts import classify, local_zone
from penstock.tools.turn import Said, died, last_line, own_home, write_private

VARIABLES = ("MSWEA_MODEL_NAME", "AZURE_API_VERSION", "LM_STUDIO_API_KEY")
_ARGS = ("-y", "--exit-immediately")
_CONFIG = ("-c", "mini.yaml", "-c", "model.cost_tracking=ignore_errors")
_QUIET = {
    "MSWEA_CONFIGURED": "true",
    "MSWEA_COST_TRACKING": "ignore_errors",
    "MSWEA_SILENT_STARTUP": "true",
    "MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "PYTHONUTF8": "1",
    "COLUMNS": "1000",
    "TYPER_STANDARD_TRACEBACK": "1",  # a coloured one takes many seconds
    "_TYPER_STANDARD_TRACEBACK": "1",
}
MAX_TRAJECTORY = 64 << 20
"""The longest trajectory that is read, in bytes."""
_SUBMITTED = "Submitted"
_LIMITS = frozenset({"LimitsExceeded", "CostLimitExceeded", "TimeExceeded"})
_LITELLM = re.compile(r"litellm\.(?P<name>[A-Za-z]+)\b")


class MiniTool(ClientTool):
    """Drives `mini`, judged by the trajectory that it writes at its end.

    The task stands in a settings file, which may be longer than any argument.
    """

    tool_id = "mini-swe-agent"
    executable = "mini"
    install = "pipx install mini-swe-agent && pipx inject mini-swe-agent mcp"
    prompt_on_stdin = False

    def command_line(self, request: TurnRequest) -> tuple[str, ...]:
        """Return the argv; the prompt stands in a file and no secret is in it."""
        own = request.home / "mini"
        model = ("-m", request.model) if request.model else ()
        cap = request.max_cost_usd
        limit = ("-l", f"{cap:g}") if cap else ()
        files = ("-o", str(own / "turn.traj.json"), "-c", str(own / "task.yaml"))
        return (self.executable, *_ARGS, *_CONFIG, *files, *model, *limit, *request.flags)

    def environment(self, request: TurnRequest) -> Mapping[str, str]:
        """Write the task and return the child's environment."""
        home = own_home(request, "mini")
        # JSON is YAML, and needs no quoting of ours
        task = {
            "run": {"task": request.prompt_file.read_text("utf-8", "replace")},
            "model": {"model_kwargs": {"max_retries": 0}},
        }
        write_private(Path(home, "task.yaml"), json.dumps(task).encode())
        write_private(Path(home, "turn.traj.json"), b"")  # that of the turn before
        extra = {**_QUIET, "MSWEA_GLOBAL_CONFIG_DIR": home}
        return child_environment(extra=extra, keep=(*KEYS, *BASES, *VARIABLES))

    def own_login(self) -> bool:
        """Return False: it knows keys only, and its folder is always its own."""
        return False

    def reader(self, request: TurnRequest) -> MiniReader:
        """Return a reader of its trajectory."""
        return MiniReader(request.home / "mini" / "turn.traj.json")


class MiniReader:
    """Reads how a run ended, and what it used, from the trajectory; its output is for people."""

    def __init__(self, trajectory: Path) -> None:
        self.said = Said()
        self._trajectory = trajectory

    def feed(self, data: bytes) -> bool:  # noqa: ARG002 - there are no events in it
        """Wait for the end."""
        return False

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Return the failure that the trajectory or, without one, the last words amount to."""
        told = read_trajectory(self._trajectory)
        info = table(told.get("info"))
        status = text(info.get("exit_status"))
        if status:
            self.said.events = 1
            self.said.usage = usage_of(told)
            self.said.message = text(info.get("submission")) or f"ended as {status}"
            return judge(status, _exception(told), now=time.time())
        words = last_line(ended.error_text, ended.text)
        known = classify(
            ended.error_text[-4000:] + ended.text[-2000:], now=time.time(), zone=local_zone()
        )
        return (known if ended.exit_code else None) or died(ended, evidence=words)


def read_trajectory(path: Path) -> dict[str, Any]:
    """Read a trajectory and remove it, for it holds all that the agent saw; {} without one."""
    try:
        if path.stat().st_size > MAX_TRAJECTORY:
            return {}
        raw = path.read_bytes()
        path.unlink()
    except OSError:
        return {}
    return decoded(raw)


def decoded(raw: bytes) -> dict[str, Any]:
    """Return the object that a trajectory holds, {} when it is none."""
    try:
        return table(msgspec.json.decode(raw)) if raw else {}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}


def judge(status: str, words: str, *, now: float) -> Outcome | None:
    """Return the failure that an exit status means, None when the work was submitted.

    `words` are those of the exception that ended it. `now` is seconds since the epoch.
    """
    if status == _SUBMITTED:
        return None
    if status in _LIMITS:
        return Outcome(kind=OutcomeKind.BUDGET, message=f"its own limit was reached: {status}")
    found = _LITELLM.search(words)
    return judge_error(found["name"] if found else status, words or status, now=now)


def usage_of(trajectory: Mapping[str, Any]) -> Usage:
    """Return the usage over all replies, whose input contains the cached tokens. A cost of 0 means
    that the model has no known price.
    """
    used = list(_usages(trajectory))
    if not used:
        return Usage()
    read = _sum(table(each.get("prompt_tokens_details")).get("cached_tokens") for each in used)
    total = _sum(each.get("prompt_tokens") for each in used)
    stats = table(table(trajectory.get("info")).get("model_stats"))
    return Usage(
        input_uncached=None if total is None else max(0, total - (read or 0)),
        cache_read=read,
        output=_sum(each.get("completion_tokens") for each in used),
        reasoning=_sum(
            table(each.get("completion_tokens_details")).get("reasoning_tokens") for each in used
        ),
        cost_usd=amount(stats.get("instance_cost")) or None,
    )


def _usages(trajectory: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for message in items(trajectory.get("messages")):
        response = table(table(table(message).get("extra")).get("response"))
        if response.get("usage"):
            yield table(response["usage"])


def _sum(values: Iterator[object]) -> int | None:
    known = [count for count in map(whole, values) if count is not None]
    return sum(known) if known else None


def _exception(trajectory: Mapping[str, Any]) -> str:
    messages = items(trajectory.get("messages"))
    return text(table(table(messages[-1] if messages else None).get("extra")).get("exception_str"))
