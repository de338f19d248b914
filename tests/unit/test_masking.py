"""The one door: what was learnt once is taken out of everything that leaves, whoever writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import GitError, UsageError
from penstock.masking import DOOR, certain, learn, look_around, redactor
from penstock.worktrees.git import find_git
from tests.support.cli import make_repository

VALUE = "a-value-of-the-vault-77"


def test_what_is_learnt_later_is_known_by_who_asked_before() -> None:
    """A log that was opened before the vault was read masks its values all the same."""
    log = redactor()
    learn([VALUE])
    assert log.text(f"it is {VALUE}") == "it is [REDACTED]"
    assert redactor() is log


def test_the_environment_is_looked_at_when_a_redactor_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Names that say secret, and passwords in the addresses of others."""
    monkeypatch.setenv("DEPLOY_TOKEN", VALUE)
    address = "postgres://me:pass-of-the-base@db/x"  # penstock: allow-secret
    monkeypatch.setenv("DATABASE_URL", address)
    assert redactor().values(f"{VALUE} pass-of-the-base me") == "[REDACTED] [REDACTED] me"


def test_a_value_that_was_known_stays_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after its variable is gone: it may stand in a message that is still to come."""
    monkeypatch.setenv("DEPLOY_TOKEN", VALUE)
    look_around()
    monkeypatch.delenv("DEPLOY_TOKEN")
    assert certain(f"it was {VALUE}") == "it was [REDACTED]"


@pytest.mark.parametrize("word", ["postgres", "release-candidate", "/home/me/keys/id_77_rsa", "x7"])
def test_words_names_and_paths_stay_where_machines_read(word: str) -> None:
    """A weak password must not make an id unreadable; text that people read loses it."""
    learn([word])
    assert certain(f"ws-{word}") == f"ws-{word}"


def test_what_is_forgotten_is_known_no_more() -> None:
    """For tests: each begins as a process does."""
    learn([VALUE])
    DOOR.forget()
    assert certain(VALUE) == VALUE
    assert redactor().values(VALUE) == VALUE


def test_the_words_of_errors_hold_no_known_value() -> None:
    """Whoever uses penstock as a library may log them; the hint is part of them."""
    learn([VALUE])
    error = UsageError(f"not with {VALUE}", hint=f"without {VALUE}")
    assert (str(error), error.hint) == ("not with [REDACTED]", "without [REDACTED]")


def test_what_git_says_holds_no_password(tmp_path: Path) -> None:
    """A remote that cannot be reached is named without it, as is what was asked of git."""
    repo = make_repository(tmp_path / "repo")
    address = "http://me:pass-of-the-remote@127.0.0.1:9/x.git"  # penstock: allow-secret
    with pytest.raises(GitError) as caught:
        find_git(repo).run("ls-remote", address)
    assert "[REDACTED]@127.0.0.1" in str(caught.value)
    assert "pass-of-the-remote" not in str(caught.value)
