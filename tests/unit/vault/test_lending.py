"""Which tool is lent which secrets."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from penstock.errors import SecretsError
from penstock.process.environment import child_environment, variables
from penstock.vault.lending import Lender, Naming

ASKS = Naming(wanted=("A_KEY", "B_KEY"))


class Kept:
    """A vault of given values; `locked` means that listing works and reading does not."""

    def __init__(self, values: dict[str, str], *, locked: bool = False, shut: bool = False) -> None:
        self._values, self._locked, self._shut = values, locked, shut
        self.read: list[tuple[str, ...]] = []

    def listed(self) -> tuple[str, ...]:
        """Return the keys."""
        if self._shut:
            raise SecretsError("shut")
        return tuple(self._values)

    def values(self, keys: Iterable[str] | None = None) -> dict[str, str]:
        """Return values, remembering which were asked for."""
        wanted = tuple(keys or ())
        self.read.append(wanted)
        found = {key: self._values[key] for key in wanted if key in self._values}
        if found and (self._locked or self._shut):
            raise SecretsError("locked")
        return found


Records = list[tuple[str, tuple[str, ...], str | None, str | None]]


def lender(
    kept: Kept, naming: Naming, environ: dict[str, str] | None = None
) -> tuple[Lender, Records]:
    """Return a lender of these secrets, and what it records."""
    records: Records = []
    found = Lender(
        kept, lambda _tool: naming, lambda *record: records.append(record), environ or {}
    )
    return found, records


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the keys in our own environment."""
    for name in ("A_KEY", "B_KEY", "C_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_a_tool_gets_what_it_asks_for_and_no_more() -> None:
    """Of three secrets, the two that its adapter asks for are read, recorded and lent."""
    kept = Kept({"A_KEY": "a", "B_KEY": "b", "C_KEY": "c"})
    found, records = lender(kept, ASKS)
    with found.turn("aider", "run-1", "ws-1"):
        env = child_environment(keep=("A_KEY", "B_KEY", "C_KEY"))
    assert (env["A_KEY"], env["B_KEY"], "C_KEY" in env) == ("a", "b", False)
    assert records == [("aider", ("A_KEY", "B_KEY"), "run-1", "ws-1")]


def test_what_the_environment_has_is_not_read() -> None:
    """The vault is asked only for what is lacking."""
    kept = Kept({"A_KEY": "a", "B_KEY": "b"})
    found, records = lender(kept, ASKS, {"A_KEY": "ours", "B_KEY": ""})
    with found.turn("aider"):
        assert variables()["B_KEY"] == "b"
    assert (kept.read, records) == ([("B_KEY",)], [("aider", ("B_KEY",), None, None)])


def test_a_tool_that_asks_for_nothing_opens_no_vault() -> None:
    """A checker without secrets does not even have the vault looked at."""
    kept = Kept({"A_KEY": "a"}, shut=True)
    found, records = lender(kept, Naming())
    with found.turn("ruff"), found.glance("ruff"):
        pass
    assert (kept.read, records, found.kept("ruff")) == ([], [], ())


def test_a_stated_list_goes_before_the_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user names is handed on whatever the adapter keeps; what it asks for is withheld."""
    monkeypatch.setenv("A_KEY", "ours")
    found, _ = lender(
        Kept({"C_KEY": "c", "D_KEY": "d"}), Naming(wanted=ASKS.wanted, stated=("C_KEY",))
    )
    with found.turn("aider"):
        env = child_environment(keep=("A_KEY", "B_KEY", "D_KEY"))
    assert env["C_KEY"] == "c"
    assert not {"A_KEY", "B_KEY", "D_KEY"} & set(env)


def test_an_empty_list_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `secrets: []` a tool has no key at all, the vault's names from elsewhere included."""
    monkeypatch.setenv("A_KEY", "ours")
    monkeypatch.setenv("C_KEY", "ours")
    kept = Kept({"C_KEY": "c"})
    found, records = lender(kept, Naming(wanted=ASKS.wanted, stated=()))
    with found.turn("claude-cli"):
        assert not {"A_KEY", "C_KEY"} & set(child_environment(keep=("A_KEY", "C_KEY")))
    assert (kept.read, records) == ([], [])


def test_a_glance_sees_names_and_no_values() -> None:
    """Whether there is a key is told without reading or recording anything."""
    kept = Kept({"A_KEY": "a"}, locked=True)
    found, records = lender(kept, ASKS)
    with found.glance("aider"):
        assert variables()["A_KEY"] not in ("", "a")
        assert "B_KEY" not in variables()
    assert (kept.read, records, found.kept("aider")) == ([], [], ("A_KEY",))


def test_a_secret_that_cannot_be_read_is_an_error() -> None:
    """A turn does not begin without a key that it is to have."""
    found, records = lender(Kept({"A_KEY": "a"}, locked=True), ASKS)
    with pytest.raises(SecretsError, match="locked"), found.turn("aider"):
        pytest.fail("it began")
    assert records == []


def test_a_vault_that_cannot_be_looked_into_has_nothing_for_a_glance() -> None:
    """Whether there is a key is then simply not known."""
    found, _ = lender(Kept({}, shut=True), Naming(wanted=("A_KEY",), stated=("A_KEY",)))
    with found.glance("aider"):
        assert "A_KEY" not in variables()
    assert found.kept("aider") == ()
