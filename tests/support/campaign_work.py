"""What the kill campaign works on: twelve workstreams in a small repository, and their end.

Whatever the order in which the workstreams are worked on and merged, the result is the same tree:
those that clash write the same words when they are told to mend it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from penstock.model.bundle import Bundle
from tests.support.repos import make_repo, write

RUN = "run-1"

LINT = """\
# a finding for each line with `bad`, and one when shared.txt lacks somebody who has arrived
found=0
for file in *.txt; do
  number=0
  while read -r line; do
    number=$((number + 1))
    case $line in *bad*) echo "$file:$number:1: L1 a bad word"; found=1 ;; esac
  done <"$file"
done
for who in a h; do
  if [ -f ws-$who.txt ]; then
    known=
    while read -r line; do case $line in "from $who") known=1 ;; esac; done <shared.txt
    [ -n "$known" ] || { echo "shared.txt:1:1: L2 nothing from $who"; found=1; }
  fi
done
exit $found
"""
TESTS = """\
# every `fail` fails, and so does a clash of two workstreams that is nobody's own
failed=0 clashes=0
for file in *.txt; do
  while read -r line; do
    case $line in
      fail*) echo "$file:1:1: T1 a test failed"; failed=1 ;;
      clash*) clashes=$((clashes + 1)) ;;
    esac
  done <"$file"
done
if [ $clashes -gt 1 ]; then echo "ws-i.txt:1:1: T2 two clash"; failed=1; fi
exit $failed
"""
DELAY_S = 0.03
LONG_S, LONG = 0.8, "ws-c"
"""What outlives its orchestrator if nobody ends it: this one's turn, and its commit by a slow git."""
BREAKS = "ws-j"
HELD = "ws-l"
CLASHING = (("ws-a", "ws-h"), ("ws-g", "ws-i"))
"""Pairs of which the second to arrive has to mend what they made together."""


def turn(ws_id: str, text: str, **more: str) -> dict[str, Any]:
    """A turn that writes the workstream's own file, and others by the name before `.txt`."""
    named = {f"{name}.txt": content for name, content in more.items()}
    delay_s = LONG_S if ws_id == LONG else DELAY_S
    return {"edits": {f"{ws_id}.txt": text, **named}, "delay_s": delay_s}


def _both(text: str) -> dict[str, Any]:
    return {"edits": {"ws-g.txt": f"{text} g\n", "ws-i.txt": f"{text} i\n"}, "delay_s": DELAY_S}


def bundle(ws_id: str, *turns: Mapping[str, Any], files: Sequence[str] = (), **more: Any) -> Bundle:
    """Return a bundle whose scope is its own file and `files`."""
    fields = {
        "id": ws_id,
        "openspec_change": "campaign",
        "ccpm_issue": 1,
        "gate": 1,
        "files_scope": [f"{ws_id}.txt", *files],
        "tasks": [f"write {ws_id}.txt"],
        "tool": "scripted",
        "metadata": {"scripted": list(turns)},
        **more,
    }
    return msgspec.convert(fields, Bundle)


def _shared(ws_id: str) -> Bundle:
    who = ws_id[-1]
    first = turn(ws_id, f"{who}\n", shared=f"from {who}\n")
    return bundle(
        ws_id, first, turn(ws_id, f"{who}\n", shared="from a\nfrom h\n"), files=["shared.txt"]
    )


def _clashing(ws_id: str, **more: Any) -> Bundle:
    first = turn(ws_id, f"clash {ws_id[-1]}\n")
    return bundle(ws_id, first, _both("agreed"), files=["ws-g.txt", "ws-i.txt"], **more)


def _bad_until(ws_id: str, *texts: str, **more: Any) -> Bundle:
    return bundle(ws_id, *(turn(ws_id, f"{text}\n") for text in texts), **more)


BUNDLES: tuple[Bundle, ...] = (
    _shared("ws-a"),
    _bad_until("ws-b", "bad", "b", depends_on=["ws-a"]),  # one static fix
    _bad_until("ws-c", "c", depends_on=["ws-b"]),
    _bad_until("ws-d", "d"),
    _bad_until("ws-e", "e", depends_on=["ws-d"], conflict_group="schema"),
    _bad_until("ws-f", "fail", "f", depends_on=["ws-d"]),  # one runtime fix
    _clashing("ws-g", depends_on=["ws-e", "ws-f"]),
    _shared("ws-h"),
    _clashing("ws-i", conflict_group="schema"),
    _bad_until(BREAKS, "bad 1", "bad 2", "bad 3", "bad 4", gate=2),  # a breaker ends it
    _bad_until("ws-k", "k", gate=2, parallel_ok=False),
    _bad_until(HELD, "l", gate=2, depends_on=[BREAKS]),
)

FILES: Mapping[str, str] = {
    "shared.txt": "start\n",
    "README.md": "a project\n",
    ".gitattributes": "*.txt filter=slow\n",
    "tools/lint.sh": LINT,
    "tools/tests.sh": TESTS,
}


def make_project(path: Path) -> Path:
    """Make the repository; its `clean` filter makes git sleep while it holds an index lock."""
    shell = {"command": "/bin/sh", "timeout_sec": 60}
    profiles = {
        "lint": {"type": "static-check", "args": ["tools/lint.sh"], **shell},
        "tests": {"type": "test", "args": ["tools/tests.sh"], **shell},
    }
    settings = {
        "static_tools": ["lint"],
        "runtime_tools": ["tests"],
        "checkout_policy": "stop",
        "overlap_policy": "merge",
        "durability": "normal",
        "limits": {"max_lost_attempts": 1000},
    }
    breakers = {"defaults": {"max_attempts_per_step": 3, "max_fix_attempts_per_step": 2}}
    root = make_repo(
        path,
        {
            **FILES,
            "config/tool_profiles.json": json.dumps(profiles),
            "config/pipeline.yaml": json.dumps(settings),
            "config/circuit_breakers.yaml": json.dumps(breakers),
        },
    )
    write(root, {"README.md": "changed by the user, not committed\n", "notes.md": "mine\n"})
    return root


SLOW_FILTER = """
[filter "slow"]
\tclean = "sleep 0.02; cat"
"""


def make_slow(root: Path) -> None:
    """Let git in this repository sleep while it stages a file, its index lock in hand."""
    with (root / ".git/config").open("a", encoding="utf-8") as file:
        file.write(SLOW_FILTER)


def slow_git(folder: Path) -> Path:
    """Put a `git` into a folder that sleeps a moment before the subcommands that write."""
    folder.mkdir(parents=True, exist_ok=True)
    real = next(
        path
        for place in os.get_exec_path()
        if (path := Path(place) / "git").exists() and Path(place) != folder
    )
    wrapper = folder / "git"
    wrapper.write_text(
        "#!/bin/sh\n"
        'case "$GIT_WORK_TREE $* " in\n'
        f'  *{LONG}" "*" commit "*) sleep {LONG_S} ;;\n'
        '  *" reset "*|*" merge-tree "*|*" worktree "*|*" checkout "*|*" clean "*)\n'
        "    sleep 0.03 ;;\n"
        "esac\n"
        f'exec {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    return folder


def dependents_of(failed: frozenset[str]) -> frozenset[str]:
    """Return the workstreams that never begin because these have failed."""
    held: set[str] = set()
    while True:
        gone = failed | held
        first_gate = min((b.gate for b in BUNDLES if b.id in gone), default=99)
        more = {
            b.id
            for b in BUNDLES
            if b.id not in gone and (b.gate > first_gate or gone.intersection(b.depends_on))
        }
        if not more:
            return frozenset(held)
        held |= more
