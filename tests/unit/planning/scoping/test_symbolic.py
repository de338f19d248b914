"""Symbols that a text names, and the files that they lead to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.planning.scoping.api import Guess
from penstock.planning.scoping.symbolic import MAX_SYMBOLS, Shape, symbol_guesses, symbol_mentions
from tests.support.terrains import FakeSymbols, item

INDEX = FakeSymbols(
    {
        "UserService": ["src/users.py"],
        "find_user": ["src/users.py"],
        "login": ["src/auth.py", "src/users.py", "tests/test_auth.py"],
        "Auth": ["src/auth.py"],
        "parse_date": ["src/a.py", "src/b.py"],
        "to_text": ["src/a.py", "src/b.py", "src/c.py"],
        "to_json": ["src/a.py", "src/b.py", "src/c.py", "src/d.py"],
        "run": ["src/run.py"],
        "get": ["src/a.py", "src/b.py"],
        "data": ["src/data.py"],
        "GitHub": ["src/forge.py"],
        "make_user": ["src/users.py", "tests/test_users.py"],
        "fixture_user": ["tests/conftest.py"],
        "x": ["src/x.py"],
    }
)


def guesses(text: str, details: str = "") -> list[Guess]:
    """What the symbols of an item lead to."""
    return symbol_guesses(item(text, details=details), INDEX)


def found(text: str) -> dict[str, float]:
    """The paths that a text leads to, with how sure that is."""
    return {guess.path: guess.confidence for guess in guesses(text)}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Fix `UserService` and `find_user()`", [("UserService", Shape.CODE), ("find_user", Shape.CODE)]),
        ("Call find_user(name) or login()", [("find_user", Shape.CALL), ("login", Shape.CALL)]),
        ("UserService uses parse_date", [("UserService", Shape.PLAIN), ("parse_date", Shape.PLAIN)]),
        ("`Auth.login` `Auth::login` `Auth#login`", [("Auth.login", Shape.CODE)] * 3),
        ("fix userService and HTTPServer", [("userService", Shape.PLAIN), ("HTTPServer", Shape.PLAIN)]),
        ("`src/a.py` `a b` `--flag` src/FooBar.py", []),
        ("plain words of prose, And Capitals; GitHub and JavaScript", []),
        ("修改`UserService`的findUser方法", [("UserService", Shape.CODE), ("findUser", Shape.PLAIN)]),
    ],
)  # fmt: skip
def test_what_looks_like_a_symbol(line: str, names: list[tuple[str, Shape]]) -> None:
    """Backticks, parentheses, CamelCase, snake_case and dots make a word a symbol's name."""
    assert [(mention.shown, mention.shape) for mention in symbol_mentions(line)] == names


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("Fix `UserService`", {"src/users.py": 0.75}),
        ("Fix UserService", {"src/users.py": 0.65}),
        ("Fix `parse_date`", {"src/a.py": 0.55, "src/b.py": 0.55}),
        ("Fix parse_date", {"src/a.py": 0.45, "src/b.py": 0.45}),
        ("Fix `to_text`", {"src/a.py": 0.4, "src/b.py": 0.4, "src/c.py": 0.4}),
        ("Fix `to_json`", {}),
        ("Fix `Auth.login`", {"src/auth.py": 0.85}),
        ("Fix users.login()", {"src/users.py": 0.85}),
        ("Fix `make_user`", {"src/users.py": 0.75}),
        ("Fix `fixture_user`", {"tests/conftest.py": 0.75}),
    ],
)
def test_the_rarer_the_surer(text: str, paths: dict[str, float]) -> None:
    """A name that one file defines leads there; one that many define leads nowhere."""
    assert found(text) == paths


@pytest.mark.parametrize(
    "text",
    [
        "run the data through get",
        "`get` the thing",
        "Run it",
        "GitHub integration",
        "see Data",
        "run_",
    ],
)
def test_common_words_lead_nowhere(text: str) -> None:
    """Words of every program are no evidence."""
    assert found(text) == {}


@pytest.mark.parametrize("text", ["call `run`", "call run()", "`data`", "`x`"])
def test_a_common_word_in_backticks_is_doubtful(text: str) -> None:
    """Even where one file alone defines it, a common word never makes a scope."""
    assert all(confidence < 0.5 for confidence in found(text).values())


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("Add `UserService.forget`", {"src/users.py": 0.75}),
        ("Add UserService.forget", {"src/users.py": 0.65}),
        ("Add `parse_date.forget`", {}),
        ("Add `Nobody.forget`", {}),
        ("Add `data.forget`", {"src/data.py": 0.3}),
    ],
)
def test_a_name_that_is_to_come_leads_to_its_owner(text: str, paths: dict[str, float]) -> None:
    """A method that is not there yet is put where its class is, when that is one place."""
    assert found(text) == paths


def test_details_and_evidence() -> None:
    """The lines below an item count too, and the evidence says what is defined where."""
    (guess,) = guesses("Tidy up", "the `find_user` query")
    assert guess.evidence == "defines the function find_user (line 1)"


def test_many_symbols_are_bounded() -> None:
    """Of thousands of names only the first are looked up."""
    many = FakeSymbols({f"name_{n}": [f"src/{n}.py"] for n in range(500)})
    text = " ".join(f"`name_{n}`" for n in range(500))
    for details in (text, "\n".join(text.split())):
        assert len(symbol_guesses(item("x", details=details), many)) == MAX_SYMBOLS


@settings(deadline=None)
@given(st.text())
def test_any_text_is_borne(line: str) -> None:
    """No text at all raises."""
    for mention in symbol_mentions(line):
        assert all(mention.parts)
