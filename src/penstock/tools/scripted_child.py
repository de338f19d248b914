"""The scripted tool's child process: plays one turn from a JSON file in its working directory.

Started by file path with `python -I -S`, so it uses the standard library only and imports
nothing of penstock. A turn is `{edits, output, delay_s, exit_code, hang, claim, usage, reset_in_s,
message}`, all optional. The last line printed is the terminal event, `{"type": "result", ...}`.
A turn that fails by its exit code, or hangs, prints it only when it makes a claim.
"""

from __future__ import annotations

import json
import os
import sys
import time


def edit(path: str, text: str | None) -> None:
    """Write a whole file, or delete it when `text` is None; parent folders are made."""
    if text is None:
        if os.path.lexists(path):
            os.unlink(path)  # noqa: PTH108 - importing pathlib would double the start-up time
        return
    folder = os.path.dirname(path)  # noqa: PTH120
    if folder:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(text.encode("utf-8", "surrogatepass"))


def event(turn: dict[str, object]) -> str:
    """Return the terminal event of a turn as one line of JSON."""
    passed_on = {key: turn[key] for key in ("usage", "reset_in_s", "message") if key in turn}
    return json.dumps({"type": "result", "outcome": turn.get("claim") or "edited", **passed_on})


def say(text: str) -> None:
    """Print a text so that it ends with a newline, whatever the locale."""
    line = text if text.endswith("\n") else text + "\n"
    sys.stdout.buffer.write(line.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def play(turn: dict[str, object]) -> int:
    """Play a turn to its end and return the exit code; never returns when it is to hang."""
    time.sleep(float(str(turn.get("delay_s") or 0)))
    edits = turn.get("edits")
    for path, text in edits.items() if isinstance(edits, dict) else ():
        edit(path, text)
    output = str(turn.get("output") or "")
    if output:
        say(output)
    code = int(str(turn.get("exit_code") or 0))
    if turn.get("claim") or not (code or turn.get("hang")):
        say(event(turn))
    while turn.get("hang"):
        time.sleep(3600)
    return code


def main(argv: list[str]) -> int:
    """Play the turn that the file `argv[1]` holds. Exit code 70: the turn could not be played."""
    with open(argv[1], encoding="utf-8") as file:  # noqa: PTH123
        turn = json.load(file)
    try:
        return play(turn)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"scripted: {error}\n")
        return 70


if __name__ == "__main__":
    sys.exit(main(sys.argv))
