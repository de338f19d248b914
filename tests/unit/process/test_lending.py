"""Variables that are lent to the children of one piece of work."""

from __future__ import annotations

import os
import threading

import pytest

from penstock.process.environment import Loan, child_environment, lending, variables


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with one key, and one that is empty."""
    monkeypatch.setenv("KEY_OURS", "ours")
    monkeypatch.setenv("KEY_EMPTY", "")
    monkeypatch.delenv("KEY_LENT", raising=False)


def test_without_a_loan_it_is_our_environment() -> None:
    """Nothing is copied or changed."""
    assert variables() is os.environ


def test_a_loan_fills_what_the_environment_lacks() -> None:
    """Our own values stand before what is lent, empty ones do not."""
    with lending(Loan(values={"KEY_OURS": "x", "KEY_EMPTY": "filled", "KEY_LENT": "lent"})):
        found = variables()
        assert [found[f"KEY_{n}"] for n in ("OURS", "EMPTY", "LENT")] == ["ours", "filled", "lent"]
    assert "KEY_LENT" not in variables()


def test_a_child_gets_what_its_adapter_keeps() -> None:
    """A value that is lent is no more handed on than one of ours."""
    with lending(Loan(values={"KEY_LENT": "lent"})):
        assert "KEY_LENT" not in child_environment()
        assert child_environment(keep=("KEY_LENT",))["KEY_LENT"] == "lent"


def test_named_variables_are_always_handed_on() -> None:
    """What the user's configuration names goes to the child, from wherever it comes."""
    with lending(Loan(values={"KEY_LENT": "lent"}, named=("KEY_LENT", "KEY_OURS", "KEY_NONE"))):
        env = child_environment()
    assert (env["KEY_LENT"], env["KEY_OURS"]) == ("lent", "ours")
    assert "KEY_NONE" not in env


def test_withheld_variables_are_not_handed_on() -> None:
    """Whoever keeps them, and for whoever looks whether they are set."""
    with lending(Loan(withheld=frozenset({"KEY_OURS"}))):
        assert "KEY_OURS" not in variables()
        assert "KEY_OURS" not in child_environment(keep=("KEY_*",))


def test_nothing_that_leads_elsewhere_is_lent() -> None:
    """A secret that is named like a variable of git or Python steers no child."""
    with lending(
        Loan(values={"GIT_DIR": "/x", "PYTHONPATH": "/y"}, named=("GIT_DIR", "PYTHONPATH"))
    ):
        assert not {"GIT_DIR", "PYTHONPATH"} & set(child_environment())


def test_a_given_source_is_taken_as_it_is() -> None:
    """An environment that the caller gives is not added to."""
    with lending(Loan(values={"KEY_LENT": "lent"}, named=("KEY_LENT",))):
        assert "KEY_LENT" not in child_environment(source={"PATH": "/bin"})


def test_a_loan_is_for_one_thread() -> None:
    """Workers side by side do not get each other's secrets."""
    found: list[bool] = []
    with lending(Loan(values={"KEY_LENT": "lent"})):
        other = threading.Thread(target=lambda: found.append("KEY_LENT" in variables()))
        other.start()
        other.join()
    assert found == [False]


def test_a_loan_shows_no_value() -> None:
    """Its representation, which a traceback may hold, has names of fields only."""
    assert "lent" not in repr(Loan(values={"KEY_LENT": "lent"}))
