"""Whether the process of a claim still lives."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import msgspec
import pytest

from penstock.process import proc
from penstock.process.identity import ProcessIdentity, is_alive, is_local, this_process


def changed(**fields: Any) -> ProcessIdentity:
    """This process's identity with some fields changed."""
    return msgspec.structs.replace(this_process(), **fields)


def test_this_process_lives_and_survives_json() -> None:
    """This process is alive, also after a way through JSON."""
    data = json.loads(json.dumps(this_process().to_dict()))
    identity = ProcessIdentity.from_dict(data)
    assert identity == this_process()
    assert is_alive(identity)
    assert is_local(identity)


def test_a_number_that_was_reused_is_dead() -> None:
    """The same number with another start time is another process."""
    assert not is_alive(changed(start=this_process().start + 1))
    assert is_alive(changed(start=0))


def test_an_ended_process_is_dead_even_before_it_is_collected() -> None:
    """A zombie is as dead as one that is gone."""
    child = subprocess.Popen(["sleep", "60"])
    identity = changed(pid=child.pid, start=proc.start_of(child.pid))
    assert is_alive(identity)
    child.kill()
    child.wait()
    assert not is_alive(identity)


def test_before_the_last_boot_nothing_lives() -> None:
    """A process of an earlier boot of this host is dead."""
    assert not is_alive(changed(boot="another boot"))
    assert is_local(changed(boot="another boot"))


def test_what_cannot_be_seen_may_live() -> None:
    """A process on another host or in another container is taken for alive, and not for local."""
    for elsewhere in (changed(host="elsewhere"), changed(namespace="pid:[1]")):
        assert is_alive(elsewhere)
        assert not is_local(elsewhere)


@pytest.mark.parametrize("data", [{}, {"pid": 1}, {**this_process().to_dict(), "pid": "x"}])
def test_rubbish_is_a_value_error(data: dict[str, Any]) -> None:
    """What is no identity raises ValueError."""
    with pytest.raises(ValueError, match=r"pid|host"):
        ProcessIdentity.from_dict(data)
