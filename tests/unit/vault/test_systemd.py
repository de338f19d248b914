"""Secrets that systemd hands to a service."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import SecretsError
from penstock.vault.api import LONGEST_VALUE
from penstock.vault.backends.systemd import SystemdBackend
from tests.support.vaults import private


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The credentials of a service: one secret, and a file that cannot be one."""
    found = private(tmp_path / "credentials")
    (found / "GH_TOKEN").write_bytes(b"ghp-of-the-unit\n")
    (found / "tls.key").write_bytes(b"not a secret of ours")
    return found


def test_credentials_are_read_by_name(folder: Path) -> None:
    """A file is a secret of its name; the end of its last line is not part of it."""
    backend = SystemdBackend(folder)
    assert (backend.problem(), backend.listed()) == (None, ("GH_TOKEN",))
    assert backend.peek(["GH_TOKEN", "OTHER", "../x"]) == {"GH_TOKEN": "ghp-of-the-unit"}
    assert str(folder) in backend.describe()


def test_credentials_cannot_be_changed(folder: Path) -> None:
    """Whoever wants to change one learns where."""
    with pytest.raises(SecretsError, match="read only") as caught:
        SystemdBackend(folder).set("GH_TOKEN", "x")
    assert "LoadCredentialEncrypted=" in (caught.value.hint or "")
    with pytest.raises(SecretsError, match="read only"):
        SystemdBackend(folder).delete("GH_TOKEN")
    assert not SystemdBackend(folder).delete("OTHER")


@pytest.mark.parametrize(
    ("content", "why"), [(b"\xff\xfe", "no text"), (b"x" * (LONGEST_VALUE + 1), "too long")]
)
def test_a_credential_that_is_no_value(folder: Path, content: bytes, why: str) -> None:
    """What no variable can hold is refused."""
    (folder / "GH_TOKEN").write_bytes(content)
    with pytest.raises(SecretsError, match=why):
        SystemdBackend(folder).get(["GH_TOKEN"])


def test_a_credential_that_cannot_be_read(folder: Path) -> None:
    """A folder in place of a file is said as it is."""
    private(folder / "BROKEN")
    with pytest.raises(SecretsError, match="cannot read"):
        SystemdBackend(folder).get(["BROKEN"])


def test_why_there_are_none(folder: Path) -> None:
    """Without the variable, with a folder that is not there, or one that is open to others."""
    assert "CREDENTIALS_DIRECTORY is not set" in (SystemdBackend(None).problem() or "")
    assert "No such file" in (SystemdBackend(folder / "none").problem() or "")
    folder.chmod(0o755)
    assert "open to others" in (SystemdBackend(folder).problem() or "")
    assert SystemdBackend(folder).listed() == ()
    assert SystemdBackend(None).listed() == ()
