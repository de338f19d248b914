"""Pins in the words of each manager."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.environment.api import Manager
from penstock.environment.versions.names import is_name, normalised
from penstock.environment.versions.pins import Pin, PinError, exact_pin, parse_pin

NPM, PIPX, TOOLS, WINGET = Manager.NPM, Manager.PIPX, Manager.TOOLS, Manager.WINGET


@pytest.mark.parametrize(
    ("manager", "pin", "asked"),
    [
        (PIPX, "1.2.3", "x==1.2.3"),
        (PIPX, "==1.2.3", "x==1.2.3"),
        (PIPX, ">=1.2", "x>=1.2"),
        (PIPX, "1.2.*", "x==1.2.*"),
        (PIPX, "latest", "x"),
        (PIPX, "*", "x"),
        (NPM, "1.2.3", "x@1.2.3"),
        (NPM, "^1.2 || 3", "x@^1.2 || 3"),
        (NPM, "latest", "x"),
    ],
)
def test_a_pin_is_asked_for_in_the_managers_words(manager: Manager, pin: str, asked: str) -> None:
    """What comes behind the name on the command line."""
    assert parse_pin(manager, pin).requirement("x") == asked


@pytest.mark.parametrize(
    ("manager", "pin", "exact"),
    [
        (PIPX, "1.2.3", True),
        (PIPX, "===weird", True),
        (PIPX, "1.2.*", False),
        (PIPX, "~=1.2", False),
        (NPM, "=1.2.3", True),
        (NPM, "v1.2.3", True),
        (NPM, "1.2", False),
        (NPM, "latest", False),
    ],
)
def test_exact_pins_are_known(manager: Manager, pin: str, exact: bool) -> None:
    """An exact pin can be one version only."""
    assert parse_pin(manager, pin).exact is exact


@pytest.mark.parametrize(
    ("manager", "pin"),
    [
        (PIPX, ""), (PIPX, "^1"), (PIPX, "1.2 --index-url=x"), (PIPX, "@ https://x"), (PIPX, "=>1"),
        (NPM, "==1"), (NPM, "next"), (NPM, "file:../x"), (NPM, "git+https://x"),
        (WINGET, "^1"), (WINGET, ">=1"), (TOOLS, "newest one"),
    ],
)  # fmt: skip
def test_what_is_no_pin_is_refused(manager: Manager, pin: str) -> None:
    """Tags, URLs, paths, options and the grammar of another manager are no pins."""
    with pytest.raises(PinError):
        parse_pin(manager, pin)


@pytest.mark.parametrize(
    ("pin", "version", "holds"),
    [
        ("1.x", "1.4", True), ("^1.2", "v1.4", True), ("1.4", "1.4.0", True), ("1.4", "1.5", False),
        (">=1,<2", "1.9", True), ("^1", "2", False), ("~1.2", "1.2-beta+3", False),
        ("2026.1-custom.x", "2026.1-custom.x", True), ("^1", "unheard of", None),
        ("1.4", "unheard of", None), ("^1.2.3", "1.2.9", True),
    ],
)  # fmt: skip
def test_programs_number_themselves_as_they_like(
    pin: str, version: str, holds: bool | None
) -> None:
    """Both grammars are tried, and a version of two numbers is one with a third of 0."""
    assert _held(pin, version) is holds


def _held(pin: str, version: str) -> bool | None:
    try:
        return parse_pin(TOOLS, pin).holds(version)
    except PinError:
        return Pin(pin, exact=True).holds(version)


@pytest.mark.parametrize(
    ("manager", "version", "asked"),
    [
        (PIPX, "1.0", "x==1.0"), (PIPX, "1.0.custom_build", "x===1.0.custom_build"),
        (PIPX, "no version", "x"), (NPM, "1.0.0", "x@1.0.0"), (NPM, "2026.01.1", "x@2026.01.1"),
    ],
)  # fmt: skip
def test_an_installed_version_can_always_be_asked_for(
    manager: Manager, version: str, asked: str
) -> None:
    """What was there must be put back, however its author numbers it."""
    pin = exact_pin(manager, version)
    assert pin.requirement("x") == asked
    assert pin.holds(version) is True


def test_local_and_pre_releases_of_python_are_judged_by_its_rules() -> None:
    """A build of one's own meets its public version; `<2` leaves prereleases of 2 out."""
    assert parse_pin(PIPX, "1.2").holds("1.2+own") is True
    assert parse_pin(PIPX, ">=1,<2").holds("2.0rc1") is False
    assert parse_pin(PIPX, ">=1").holds("1.1rc1") is True


@given(st.sampled_from(list(Manager)), st.text(max_size=30), st.text(max_size=30))
def test_no_text_breaks_a_pin(manager: Manager, pin: str, version: str) -> None:
    """Whatever is written, there is a verdict or a PinError."""
    try:
        found = parse_pin(manager, pin)
    except PinError:
        return
    assert found.holds(version) in (True, False, None)
    assert not found.requirement("name").startswith("-")


@given(st.sampled_from(list(Manager)), st.text(max_size=40))
def test_a_name_is_never_an_option_a_path_or_a_url(manager: Manager, name: str) -> None:
    """What passes as a name means nothing else on a command line."""
    if is_name(manager, name):
        assert name[0] != "-"
        assert ":" not in name
        assert ".." not in name.split("/")
        assert normalised(manager, name)


@pytest.mark.parametrize("name", ["@scope/name", "name", "@scope/name.js", "a~b"])
def test_names_of_npm(name: str) -> None:
    """With and without a scope."""
    assert is_name(NPM, name)


@pytest.mark.parametrize("name", ["@/x", "@scope", "a/b", "@a/b/c", "name@1", ".hidden", "x y"])
def test_what_npm_does_not_call_a_name(name: str) -> None:
    """Paths, specs and half a scope are none."""
    assert not is_name(NPM, name)
