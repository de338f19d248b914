"""Which keyrings count, and what becomes of those that do not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from penstock.errors import SecretsError
from penstock.vault.backends import os_keyring
from penstock.vault.backends.os_keyring import OsKeyring
from penstock.vault.limits import within


def nothing() -> None:
    """Do nothing."""


class Memory(KeyringBackend):
    """A keyring of another package, which keeps what it is given; `first` is done before a look."""

    priority = 1

    def __init__(self, first: Callable[[], object] = nothing) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as the library has it
        self.kept: dict[tuple[str, str], str] = {}
        self.first = first

    def get_password(self, service: str, username: str) -> str | None:
        """Return what was kept."""
        self.first()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget it."""
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


class PlaintextKeyring(Memory):
    """A keyring that keeps plain text."""


@pytest.fixture
def ended() -> Iterator[threading.Event]:
    """What hangs waits for this; it is let go at the end."""
    event = threading.Event()
    yield event
    event.set()


def worthless() -> list[KeyringBackend]:
    """Return keyrings that keep nothing, or plain text."""
    makers: tuple[Callable[[], KeyringBackend], ...] = (
        fail.Keyring,
        null.Keyring,
        PlaintextKeyring,
    )
    return [make() for make in makers]


def use(monkeypatch: pytest.MonkeyPatch, found: object) -> OsKeyring:
    """Have the library find a keyring."""
    monkeypatch.setattr(keyring, "get_keyring", lambda: found)
    return OsKeyring(look_s=0.5, answer_s=0.5)


def test_a_keyring_of_another_package_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets lie under the service `aim-plus`, by their names."""
    memory = Memory()
    backend = use(monkeypatch, memory)
    assert backend.problem() is None
    backend.set("A", "value")
    assert memory.kept == {("aim-plus", "A"): "value"}
    assert backend.get(["A", "B"]) == backend.peek(["A", "B"]) == {"A": "value"}
    assert backend.delete("A")
    assert not backend.delete("A")
    assert backend.listed() == ()


@pytest.mark.parametrize("at", range(3))
def test_what_keeps_nothing_or_plain_text_does_not_count(
    monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Such a keyring is never written to, alone or among others."""
    one = worthless()[at]
    for found in (one, SimpleNamespace(backends=[one])):
        backend = use(monkeypatch, found)
        assert "no keyring service is running" in (backend.problem() or "")
        with pytest.raises(SecretsError, match="no keyring that keeps secrets encrypted"):
            backend.set("A", "value")


def test_the_first_real_one_of_several_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's chain of keyrings is looked through."""
    memory = Memory()
    backend = use(monkeypatch, SimpleNamespace(backends=[*worthless(), memory]))
    backend.set("A", "value")
    assert memory.kept == {("aim-plus", "A"): "value"}


def test_a_keyring_that_forgets_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept is read back at once."""
    memory = Memory()
    memory.first = memory.kept.clear
    with pytest.raises(SecretsError, match="does not give it back"):
        use(monkeypatch, memory).set("A", "value")


def test_a_dismissed_prompt_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint names the ways out."""

    def refuse() -> None:
        raise KeyringLocked("dismissed")

    with pytest.raises(SecretsError, match="KeyringLocked: dismissed") as caught:
        use(monkeypatch, Memory(refuse)).get(["A"])
    assert "AIM_VAULT=age" in (caught.value.hint or "")


def test_a_hanging_keyring_is_given_up(
    monkeypatch: pytest.MonkeyPatch, ended: threading.Event
) -> None:
    """Nobody waits longer than the limit, for reading or looking."""
    backend = use(monkeypatch, Memory(lambda: ended.wait(60)))
    began = time.monotonic()
    for ask in (backend.get, backend.peek):
        with pytest.raises(SecretsError, match=r"no answer within 0\.5 s"):
            ask(["A"])
    assert time.monotonic() - began < 10


def test_a_hanging_library_is_given_up(
    monkeypatch: pytest.MonkeyPatch, ended: threading.Event
) -> None:
    """A library that hangs while it looks for keyrings is a problem, not a hang."""
    monkeypatch.setattr(keyring, "get_keyring", lambda: ended.wait(60))
    assert "no answer within" in (OsKeyring(look_s=0.2).problem() or "")


def test_a_broken_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration of the library that names no keyring is not passed over in silence."""

    def broken() -> KeyringBackend:
        raise RuntimeError("no such keyring")

    monkeypatch.setattr(keyring, "get_keyring", broken)
    assert OsKeyring().problem() == "no keyring can be loaded: no such keyring"


def test_a_locked_service_needs_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locked, it counts where it can ask its user, and is never looked into behind his back."""
    backend = use(monkeypatch, Memory())
    monkeypatch.setattr(os_keyring, "_is_secret_service", lambda _member: True)
    monkeypatch.setattr(os_keyring, "_service_state", lambda: "the keyring is locked")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert "no display to ask" in (backend.problem() or "")
    monkeypatch.setenv("DISPLAY", ":0")
    assert backend.problem() is None
    with pytest.raises(SecretsError, match="the keyring is locked"):
        backend.peek(["A"])


def test_work_within_its_time() -> None:
    """Results and errors of the work come through; its own TimeoutError too."""
    assert within(5, lambda: 1) == 1
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)

    def late() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        within(5, late)
