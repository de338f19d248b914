"""Placeholders in configured commands."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import ConfigError
from penstock.model.placeholders import fill, render

CONTEXT = {"cwd": "/a b", "message": "say $(rm -rf /) 'it'", "model_name": None, "file": "x.py"}


def test_one_argument_stays_one_argument() -> None:
    """A value with blanks, quotes or shell characters is one argument, untouched."""
    assert render(["--in={cwd}", "{message}"], CONTEXT) == (
        "--in=/a b",
        "say $(rm -rf /) 'it'",
    )


def test_an_option_without_a_value_is_left_out() -> None:
    """`--model {model_name}` disappears as a whole when no model is set."""
    assert render(["--model", "{model_name}", "-q"], CONTEXT) == ("-q",)
    assert render(["--model={model_name}", "-q"], CONTEXT) == ("-q",)
    assert render(["run", "{model_name}"], CONTEXT) == ("run",)
    assert render(["-q", "m={model_name}"], CONTEXT) == ("-q",)


def test_values_are_not_filled_again() -> None:
    """A value that looks like a placeholder stays as it is."""
    assert render(["{message}"], {"message": "{cwd}", "cwd": "/"}) == ("{cwd}",)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{{cwd}}", "{cwd}"),
        ("'{{0}}:{{1}}' -f $_", "'{0}:{1}' -f $_"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("${HOME", "${HOME"),
        ("{}", "{}"),
        ("{a-b}", "{a-b}"),
    ],
)
def test_other_braces(written: str, meant: str) -> None:
    """Doubled braces stand for single ones around a word; all other braces are left alone."""
    assert fill(written, CONTEXT) == meant


def test_an_unknown_placeholder_names_the_nearest() -> None:
    """A misspelt placeholder is an error that says what was meant."""
    with pytest.raises(ConfigError, match=r"unknown placeholder \{fil\}") as caught:
        render(["{fil}"], CONTEXT)
    assert caught.value.hint == "did you mean {file}?"


def test_an_unknown_placeholder_lists_the_known() -> None:
    """Without a near one, the error lists all."""
    with pytest.raises(ConfigError) as caught:
        fill("{zzz}", CONTEXT)
    assert caught.value.hint == "known placeholders: {cwd}, {file}, {message}, {model_name}"


@given(st.lists(st.text(alphabet=string.printable.replace("{", "").replace("}", ""))))
def test_arguments_without_braces_stay(args: list[str]) -> None:
    """Whatever has no brace in it is passed on as it is."""
    assert render(args, CONTEXT) == tuple(args)
