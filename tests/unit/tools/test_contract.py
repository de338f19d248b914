"""The contract probe tells what an update of a client has changed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from penstock.errors import NotFoundError
from penstock.tools.contract import probe, used_flags
from penstock.tools.contracts import CONTRACTS
from tests.support.turns import fake_cli, path_with

SERVICES = {name for name, contract in CONTRACTS.items() if contract.executable is None}
each_client = pytest.mark.parametrize("tool_id", sorted(set(CONTRACTS) - SERVICES))


def install(folder: Path, tool_id: str, patch: pytest.MonkeyPatch, *, without: str = "") -> None:
    """Put a client on the PATH that knows all flags but one."""
    contract = CONTRACTS[tool_id]
    flags = [flag for flag in used_flags(contract.tool()) if flag != without]
    words = f"{' '.join(flags)} (version 9.8.7)"
    script = f'case "$*" in *--version*) echo "it 9.8.7 (x)";; *) echo "{words}";; esac'
    fake_cli(folder, contract.executable or "", script)
    patch.setenv("PATH", path_with(folder))


@each_client
def test_a_healthy_client(tool_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that knows every flag has no mismatches, whatever its version."""
    install(tmp_path, tool_id, monkeypatch)
    found = probe(tool_id)
    assert (found.version, found.mismatches) == ("9.8.7", ())


@each_client
def test_a_dropped_flag(tool_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag that is gone is named."""
    flag = used_flags(CONTRACTS[tool_id].tool())[-1]
    install(tmp_path, tool_id, monkeypatch, without=flag)
    (mismatch,) = probe(tool_id).mismatches
    assert mismatch.endswith(f"no longer knows {flag}")


@each_client
def test_a_missing_client(tool_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is not installed is a mismatch that says how to install it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    found = probe(tool_id)
    assert found.version is None
    assert "is not on the PATH: " in found.mismatches[0]


def test_a_client_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a version and a help everything is a mismatch."""
    fake_cli(tmp_path, "codex", "exit 1")
    monkeypatch.setenv("PATH", path_with(tmp_path))
    found = probe("codex")
    assert found.mismatches[0] == "codex --version names no version"
    assert len(found.mismatches) == 1 + len(used_flags(CONTRACTS["codex"].tool()))


def test_a_stream_that_is_no_longer_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parser that does not know the recorded stream is a mismatch."""
    install(tmp_path, "codex", monkeypatch)
    other = msgspec.structs.replace(CONTRACTS["codex"], sample=b'{"type":"turn.renamed"}\n')
    changed = {**CONTRACTS, "codex": other}
    monkeypatch.setattr("penstock.tools.contract.CONTRACTS", changed)
    assert probe("codex").mismatches == ("the recorded stream is not understood",)


def test_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service has no version to ask for: its key is looked for, and its sample is read."""
    monkeypatch.delenv("JULES_API_KEY", raising=False)
    assert "JULES_API_KEY is not set" in probe("jules").mismatches[0]
    monkeypatch.setenv("JULES_API_KEY", "x")
    assert (probe("jules").version, probe("jules").mismatches) == (None, ())


def test_what_was_never_run_is_said_to_be_so() -> None:
    """Adapters written from documentation name no version and are not proven."""
    unproven = {name for name, contract in CONTRACTS.items() if not contract.proven}
    assert unproven == {"amp", "cursor-agent", "goose", "jules"}
    assert all((contract.measured is None) != contract.proven for contract in CONTRACTS.values())


@pytest.mark.parametrize("tool_id", sorted(CONTRACTS))
def test_every_sample_is_understood(tool_id: str) -> None:
    """The adapter reads the sample of its contract; it does not read nothing into nothing."""
    contract = CONTRACTS[tool_id]
    assert contract.understood(contract.sample)
    assert not contract.understood(b"")


def test_a_tool_without_a_contract() -> None:
    """Only AI CLIs have one."""
    with pytest.raises(NotFoundError, match="'scripted' has no contract"):
        probe("scripted")
