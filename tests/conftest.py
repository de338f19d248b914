"""What holds for every test."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from penstock.masking import DOOR
from penstock.process.sweep import sweep_markers


@pytest.fixture(autouse=True, scope="session")
def _audit_key_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the key that signs audit trails out of the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PENSTOCK_AUDIT_KEY", str(tmp_path_factory.mktemp("audit") / "key"))
        yield


@pytest.fixture(autouse=True, scope="session")
def _vault_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests out of the home and the keyring of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIM_HOME", str(tmp_path_factory.mktemp("aim")))
        patch.setenv("AIM_VAULT", "age")
        yield


@pytest.fixture(autouse=True, scope="session")
def _nothing_is_left_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """End the tools of orchestrators that a test has killed and not resumed."""
    yield
    sweep_markers((), [tmp_path_factory.getbasetemp()])


@pytest.fixture(autouse=True, scope="session")
def _interrupts_are_heard() -> Iterator[None]:
    """Let children hear SIGINT: a shell that starts us in the background has it ignored.

    An ignored signal stays ignored in every child, and penstock rightly leaves it so.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _no_test_knows_the_secrets_of_another() -> Iterator[None]:
    """Forget what this process has learnt to be secret: a fake key of one test is a word in the next."""
    yield
    DOOR.forget()
