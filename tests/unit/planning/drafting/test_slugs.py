"""Slugs stay the same, and names are given once."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.planning.drafting.slugs import MAX_SLUG, Names, slug


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("add-login", "add-login"),
        ("001 Photo Álbum!", "001-photo-album"),
        ("  --  ", "plan"),
        ("", "plan"),
        ("User_Auth/v2", "user-auth-v2"),
    ],
)
def test_plain_texts_stay_readable(text: str, expected: str) -> None:
    """Letters lose their accents and capitals, the rest becomes dashes."""
    assert slug(text) == expected


def test_other_scripts_keep_apart() -> None:
    """Titles that lose letters differ, and each has the same slug every time."""
    login, logout = slug("用户登录"), slug("用户登出")
    assert re.fullmatch(r"plan-[0-9a-f]{6}", login)
    assert login != logout
    assert slug("登录 page") == slug("登录 page") != slug("page")


def test_long_texts_are_cut_and_keep_apart() -> None:
    """Two long texts that begin alike have different slugs of bearable length."""
    one, two = slug("a" * 200), slug("a" * 201)
    assert one != two
    assert len(one) <= MAX_SLUG


@given(st.text())
def test_any_text_has_a_slug(text: str) -> None:
    """Whatever the text, its slug is fit for an id."""
    assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", slug(text))


def test_names_are_given_once() -> None:
    """A name that is taken, by others or by an earlier one, gets a number."""
    names = Names({"ws-a"})
    assert [names.give("ws-a"), names.give("ws-b"), names.give("ws-b")] == [
        "ws-a-2",
        "ws-b",
        "ws-b-2",
    ]
