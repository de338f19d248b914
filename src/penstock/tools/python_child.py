"""The child that calls one Python function with an ExecutionRequest from its standard input.

    python -m penstock.tools.python_child MODULE:FUNCTION ANSWER_FILE

What the function returns is written to the file as JSON; what it raises ends the child with 1.
"""

from __future__ import annotations

import importlib
import sys
from operator import attrgetter
from pathlib import Path

import msgspec

from penstock.model.execution import ExecutionRequest
from penstock.typed import typed_json


def main(function: str, answer: str) -> None:
    """Call the function and write what it returns."""
    module, _, name = function.partition(":")
    call = attrgetter(name)(importlib.import_module(module))
    request = typed_json(sys.stdin.buffer.read(), ExecutionRequest)
    Path(answer).write_bytes(msgspec.json.encode(call(request)))


if __name__ == "__main__":
    main(*sys.argv[1:])
