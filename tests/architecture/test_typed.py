"""Types are decoded through one door, for a type that two threads meet at once ends the process."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "penstock"
DOOR = SRC / "typed.py"
STRESS = """
import sys, threading, msgspec
from penstock.typed import typed
sys.setswitchinterval(1e-6)

class Inner(msgspec.Struct):
    number: int = 0

for turn in range(150):
    fields = [(f"f{i}", Inner if i % 2 else tuple[str, ...] | None) for i in range(20)]
    kind = msgspec.defstruct(f"Kind{turn}", fields)
    value = {f"f{i}": {"number": 1} if i % 2 else None for i in range(20)}
    barrier = threading.Barrier(6)

    def go():
        barrier.wait()
        assert typed(value, kind).f1.number == 1

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("sound")
"""


def decodes(node: ast.AST) -> bool:
    """Tell whether a call decodes into a type by itself."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    called = ast.unparse(node.func)
    with_type = any(keyword.arg == "type" for keyword in node.keywords)
    return called == "msgspec.convert" or (called.endswith(".decode") and with_type)


@pytest.mark.parametrize(
    "path",
    [p for p in sorted(SRC.rglob("*.py")) if p != DOOR],
    ids=lambda p: str(p.relative_to(SRC)),
)
def test_types_are_decoded_through_one_door(path: Path) -> None:
    """No module asks msgspec to learn a type while others may."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [ast.unparse(node) for node in ast.walk(tree) if decodes(node)] == []


def test_threads_that_meet_a_type_at_once_end_nothing() -> None:
    """Six threads decode into each of 150 fresh types at the same moment."""
    done = subprocess.run([sys.executable, "-c", STRESS], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "sound\n"), done.stderr
