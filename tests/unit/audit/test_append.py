"""Recording: the form of a line, the chain, days, clocks, and what a dead writer leaves behind."""

from __future__ import annotations

import errno
import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from penstock.audit import desk
from penstock.audit.api import FIRST_PREV, Invocation, InvocationResult
from penstock.audit.trail import FileTrail, user_name
from penstock.errors import AIMAuditLogError
from tests.support.trails import DAY, NOON, Scene

EVENT = ["timestamp", "kind", "actor", "run_id", "ws_id", "event_type", "severity", "message",
         "details", "user", "session_id", "prev", "hash"]  # fmt: skip
INVOCATION = ["timestamp", "kind", "actor", "run_id", "ws_id", "tool_id", "capability", "payload",
              "result", "prev", "hash"]  # fmt: skip


def test_an_invocation_has_the_documented_members(scene: Scene) -> None:
    """All members stand in their order, time first and the chain last."""
    digest = scene.call(
        outcome="edited", duration_s=1.5, cost_usd=0.25, routing={"reason": "first"}
    )
    (entry,) = scene.entries()
    assert list(entry) == INVOCATION
    assert list(entry["result"]) == ["success", "message", "content"]
    assert entry["timestamp"] == "2026-01-01T12:00:00.000000Z"
    assert (entry["kind"], entry["actor"], entry["hash"]) == ("invocation", "pipeline", digest)
    assert entry["result"]["content"] == {
        "outcome": "edited", "duration_sec": 1.5, "fallback": False, "cost_usd": 0.25,
        "routing": {"reason": "first"},
    }  # fmt: skip


def test_an_event_has_the_documented_members(scene: Scene) -> None:
    """All members stand in their order; the session is 8 hex digits."""
    scene.trail.event("workstream_start", "Starting", details={"ws_id": "ws-a"}, severity="debug")
    (entry,) = scene.entries()
    assert list(entry) == EVENT
    assert (entry["kind"], entry["severity"]) == ("event", "debug")
    assert len(bytes.fromhex(entry["session_id"])) == 4
    assert entry["user"]


def test_lines_are_chained_over_their_exact_bytes(scene: Scene) -> None:
    """Each hash is SHA-256 over the bytes before its last member, each prev the hash before."""
    scene.calls(3)
    prev = FIRST_PREV
    for line in scene.file().read_bytes().splitlines():
        before, _, rest = line.rpartition(b',"hash":')
        assert json.loads(line)["prev"] == prev
        prev = sha256(before).hexdigest()
        assert rest == b'"%s"}' % prev.encode()


def test_files_are_private(scene: Scene) -> None:
    """Nobody else may read what was recorded."""
    scene.call()
    assert scene.file().stat().st_mode & 0o777 == 0o600
    assert scene.folder.stat().st_mode & 0o777 == 0o700
    assert scene.file().parent.stat().st_mode & 0o777 == 0o700


def test_a_next_day_has_its_own_file_and_seals_the_last(scene: Scene) -> None:
    """The chain goes on across days, and the closed day has a signed checkpoint."""
    hashes = scene.calls(2)
    scene.clock.forward(DAY)
    scene.call()
    (entry,) = scene.entries("2026-01-02")
    assert entry["prev"] == hashes[-1]
    checkpoint = json.loads((scene.file().parent / "checkpoint.json").read_bytes())
    assert list(checkpoint) == ["date", "count", "head", "key_id", "signature"]
    assert checkpoint["date"] == "2026-01-01"
    assert (checkpoint["count"], checkpoint["head"]) == (2, hashes[-1])


def test_time_never_goes_back_within_a_trail(scene: Scene) -> None:
    """With a clock turned back, even across midnight, entries bear the last line's time."""
    scene.call()
    scene.clock.forward(-2 * DAY)
    scene.call()
    scene.call()
    first, told, *rest = scene.entries()
    assert {entry["timestamp"] for entry in (told, *rest)} == {first["timestamp"]}
    assert "clock is behind" in told["message"]
    assert told["details"] == {"behind_s": 2 * DAY}
    assert [entry["kind"] for entry in rest] == ["invocation", "invocation"]


def test_a_torn_line_is_cut_off_and_recorded(scene: Scene) -> None:
    """What a writer killed in the middle of a line left is removed, and an entry says so."""
    first = scene.call()
    with scene.file().open("ab") as file:
        file.write(b'{"timestamp":"2026-01')
    second = scene.call()
    one, note, two = scene.entries()
    assert (one["hash"], note["prev"], two["hash"]) == (first, first, second)
    assert note["details"]["bytes"] == 21
    assert note["severity"] == "warning"


def test_lines_that_the_head_does_not_know_are_taken_over(scene: Scene) -> None:
    """A writer killed between line and head leaves a whole line: the chain goes on behind it."""
    scene.call()
    before = (scene.folder / ".head").read_bytes()
    second = scene.call()
    (scene.folder / ".head").write_bytes(before)
    scene.call()
    assert [entry["prev"] for entry in scene.entries()][-1] == second
    assert len(scene.entries()) == 3


@pytest.mark.parametrize("left", [b"", b"rubbish", b"\0" * 114])
def test_a_lost_head_is_found_again_in_the_files(scene: Scene, left: bytes) -> None:
    """Without a usable head the last line is read, and an entry says that the head was missing."""
    last = scene.calls(2)[-1]
    (scene.folder / ".head").write_bytes(left)
    scene.call()
    note = scene.entries()[2]
    assert note["prev"] == last
    assert note["message"] == "the trail's head was missing"


def test_a_cut_tail_stays_visible(scene: Scene) -> None:
    """Behind lines that somebody removed the chain goes on from what was there, and says so."""
    hashes = scene.calls(3)
    scene.edit(lambda lines: lines.__delitem__(slice(1, None)))
    scene.call()
    entries = scene.entries()
    assert [entry["prev"] for entry in entries][1] == hashes[-1]
    assert entries[1]["message"] == "the trail is shorter than it was left"


def test_a_deleted_trail_is_begun_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that holds files which were deleted meanwhile does not write into the void."""
    monkeypatch.setattr(desk, "LOOK_EVERY_S", 0.0)
    scene.call()
    other = scene.file()
    other.unlink()
    scene.call()
    (scene.folder / ".head").unlink()
    scene.call()
    assert len(scene.entries()) == 4


def test_secrets_are_taken_out_before_hashing(scene: Scene) -> None:
    """Known values, keys, and texts under a telling name are replaced; the chain holds."""
    scene.call(
        payload={"prompt": "use\nsk-abcdefgh12345678", "api_key": ["swordfish"], "n": 1 << 70},
        message="hunter2-the-vault-value",
    )
    text = scene.file().read_text()
    assert "sk-abc" not in text
    assert "swordfish" not in text
    assert "hunter2" not in text
    assert text.count("[REDACTED]") == 3


def test_any_value_can_be_recorded(scene: Scene) -> None:
    """What JSON does not know becomes text; half characters are replaced."""
    scene.call(payload={"path": Path("a"), "half": "\ud800", "many": {1}, 2: float("nan")})
    payload = scene.entries()[0]["payload"]
    assert payload == {"path": "a", "half": "?", "many": [1], "2": None}


def test_a_value_that_holds_itself_is_refused(scene: Scene) -> None:
    """Nothing is written for what has no end."""
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(AIMAuditLogError, match="holds itself"):
        scene.call(payload={"loop": loop})
    assert not scene.file().exists()


def test_an_unknown_event_is_refused(scene: Scene) -> None:
    """Only the documented types and severities can be recorded."""
    with pytest.raises(ValueError, match="picnic"):
        scene.trail.event("picnic", "x")
    with pytest.raises(ValueError, match="loud"):
        scene.trail.event("error", "x", severity="loud")


def test_the_clock_is_read_in_microseconds(scene: Scene) -> None:
    """Entries within one second differ in their time."""
    scene.clock.now = NOON + 0.000123
    scene.call()
    assert scene.entries()[0]["timestamp"].endswith(".000123Z")


def test_a_sealed_day_stays_closed(scene: Scene) -> None:
    """With a clock turned back behind a sealed day, entries go to the next one."""
    scene.call()
    scene.clock.forward(DAY)
    scene.trail.require_writable()
    scene.clock.forward(-DAY)
    scene.call()
    (entry,) = scene.entries("2026-01-02")
    assert entry["timestamp"] == "2026-01-02T00:00:00.000000Z"
    assert scene.trail.verify().ok


def test_classes_that_are_not_wanted_are_left_out(scene: Scene) -> None:
    """audit.events leaves out classes of entries; what has no class is always recorded."""
    trail = FileTrail(scene.folder, key=scene.key, classes=("health_check",))
    call = Invocation(tool_id="a", capability="b", result=InvocationResult(success=True))
    assert trail.append_many([call]) == ""
    assert trail.event("secret_get", "read") == ""
    assert trail.event("health_check", "well")
    assert trail.event("workstream_start", "begun")
    trail.close()
    assert len(scene.trail.verify().damage) == 0
    assert scene.trail.stats().by_type == {"health_check": 1, "workstream_start": 1}


def test_a_user_without_an_account_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container an account may have no name."""

    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert user_name.__wrapped__() == str(os.getuid())


def test_a_line_is_written_with_one_call_and_the_lock_given_back(scene: Scene) -> None:
    """When the block of a writer fails the next one is not kept waiting."""
    scene.call()
    with pytest.raises(AIMAuditLogError, match="No space"), scene.trail._desk:
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(RuntimeError), scene.trail._desk:
        raise RuntimeError
    scene.call()
    assert scene.trail.verify().entries == 2


def test_a_day_without_lines_can_be_gone_on_with(scene: Scene) -> None:
    """A day's file that lost all its lines, head included, does not stop the next entry."""
    scene.calls(2)
    scene.file().write_bytes(b"rubbish\n")
    (scene.folder / ".head").write_bytes(b"")
    scene.call()
    assert scene.file().read_bytes().startswith(b"rubbish\n")
    assert len(scene.file().read_bytes().splitlines()) == 3
    assert not scene.trail.verify().ok
