"""Settings that several threads ask for at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import sys, threading
import msgspec
from penstock.config.decode import decode
from penstock.config.documents import Document
sys.setswitchinterval(1e-6)
MORE = "class L{0}(msgspec.Struct):\\n    x: L{1} | None = None\\n    y: tuple[L{1}, ...] = ()\\n"
for _ in range(30):
    space = {"msgspec": msgspec}
    exec("class L0(msgspec.Struct):\\n    a: int = 0\\n", space)
    for number in range(1, 12):
        exec(MORE.format(number, number - 1), space)
    gate = threading.Barrier(6)
    def read():
        gate.wait()
        decode(Document("x", {"x": {"x": {"x": None}}}), space["L11"])
    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def test_a_type_is_learnt_by_one_thread_at_a_time() -> None:
    """Six threads that decode a type which nobody has decoded yet all get it; nothing crashes."""
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
