"""Every recorded run of a real client, read again by its adapter: the same words, the same verdict."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from penstock.model.outcome import OutcomeKind as Kind
from penstock.model.outcome import Usage
from penstock.process.api import End, Outcome
from penstock.tools.turn import EventReader, Reader
from tests.support.recorded_readers import FOLDERS, TEXTS, reader_for

FOLDER = Path(__file__).parents[1] / "support" / "recordings"
# what each case is for every client; None is a turn that says it went well
VERDICTS: dict[str, Kind | None] = {
    "success": None,
    "two_files": None,
    "no_edit": None,
    "out_of_scope": None,
    "command": None,
    "whole_format": None,
    "outside": Kind.DENIED,
    "outside_absolute": Kind.DENIED,
    "unauthorized": Kind.AUTH,
    "forbidden": Kind.AUTH,
    "rate_limited": Kind.RATE_LIMITED,
    "rate_limited_no_header": Kind.RATE_LIMITED,
    "rate_limited_then_ok": None,
    "server_error": Kind.OVERLOADED,
    "overloaded": Kind.OVERLOADED,
    "not_json": Kind.BAD_OUTPUT,
    "empty_object": Kind.BAD_OUTPUT,
    "cut": Kind.OVERLOADED,
    "off_format": Kind.BAD_OUTPUT,
    "unmatched": Kind.BAD_OUTPUT,
}
# where a client goes a way of its own
OWN_WAY: dict[tuple[str, str], Kind | None] = {
    # aider writes to ../, and takes another absolute path for a badly formed edit
    ("aider", "outside"): None,
    ("aider", "outside_absolute"): Kind.BAD_OUTPUT,
    # the parent folder lay in the system's folder for temporary files, which Codex may write
    ("codex", "outside"): None,
    # with our settings Codex does not try again after a 429
    ("codex", "rate_limited_then_ok"): Kind.RATE_LIMITED,
}


@cache
def index(client: str) -> dict[str, dict[str, Any]]:
    """How each recorded run of a client ended."""
    ends: dict[str, dict[str, Any]] = json.loads(FOLDER.joinpath(client, "index.json").read_text())
    return ends


def cases() -> list[tuple[str, str]]:
    """Every recording but those of a hang, where the end is ours and not the client's."""
    return [(client, case) for client in FOLDERS for case in index(client) if case != "hang"]


def words(client: str, case: str) -> tuple[bytes, bytes]:
    """What a client printed on stdout and stderr."""
    suffix = "txt" if client in TEXTS else "jsonl"
    error = FOLDER / client / f"{case}.stderr.txt"
    said = FOLDER.joinpath(client, f"{case}.{suffix}").read_bytes()
    return said, error.read_bytes() if error.exists() else b""


def read_again(client: str, case: str, piece: int) -> tuple[Reader, Kind | None]:
    """Feed a recording to the reader in pieces of this many bytes; return the reader's verdict."""
    reader = reader_for(client, case)
    said, error = words(client, case)
    ended = Outcome(
        argv=(client,), end=End.EXITED, exit_code=index(client)[case]["exit_code"],
        started_at=0.0, duration_s=1.0, stdout=said, stderr=error,
    )  # fmt: skip
    for start in range(0, len(said), piece):
        reader.feed(said[start : start + piece])
    if isinstance(reader, EventReader):
        reader.feed_error(error)
    verdict = reader.finish(ended)
    return reader, verdict.kind if verdict else None


@pytest.mark.parametrize(("client", "case"), cases())
def test_verdict(client: str, case: str) -> None:
    """A recording amounts to what really happened in that run, however its bytes arrive."""
    expected = OWN_WAY.get((client, case), VERDICTS[case])
    assert {read_again(client, case, piece)[1] for piece in (7, 4096, 1 << 20)} == {expected}


@pytest.mark.parametrize(("client", "case"), cases())
def test_every_event_is_known(client: str, case: str) -> None:
    """No event of a real stream is strange to the adapter."""
    assert read_again(client, case, 4096)[0].said.unknown == 0


@pytest.mark.parametrize("client", sorted(FOLDERS))
def test_every_recording_is_indexed(client: str) -> None:
    """No recording lies about unread."""
    suffix = "txt" if client in TEXTS else "jsonl"
    stems = {p.name.split(".")[0] for p in FOLDER.joinpath(client).glob(f"*.{suffix}")}
    assert stems == set(index(client))


def test_usage_of_recordings() -> None:
    """The tokens of a recorded success are those that its replies reported."""
    claude = read_again("claude", "success", 4096)[0].said.usage
    codex = read_again("codex", "success", 4096)[0].said.usage
    aider = read_again("aider", "success", 4096)[0].said.usage
    assert (claude.input_uncached, claude.cache_read, claude.cache_write) == (3000, 1200, 150)
    assert (codex.input_uncached, codex.cache_read, codex.output) == (2100, 800, 400)
    assert (aider.input_tokens, aider.output, aider.cost_usd) == (1400, 200, 0.0073)


@pytest.mark.parametrize(
    ("client", "replies"), [("gemini", 3), ("qwen", 3), ("opencode", 3), ("mini", 2)]
)
def test_usage_of_the_others(client: str, replies: int) -> None:
    """Each reply had 1000 uncached and 400 cached input tokens and 200 of output."""
    used = read_again(client, "success", 4096)[0].said.usage
    assert (used.input_uncached, used.cache_read) == (1000 * replies, 400 * replies)
    assert used.output == 200 * replies
    assert used.reasoning in (None, 20 * replies)
    assert (used.cost_usd is None) == (client != "opencode")


def test_usage_of_copilot() -> None:
    """Copilot tells no tokens, so they are unknown and not zero."""
    assert read_again("copilot", "success", 4096)[0].said.usage == Usage()
