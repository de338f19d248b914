"""What may be a secret's name and value."""

from __future__ import annotations

import pytest

from penstock.errors import SecretMissingError, UsageError
from penstock.vault.api import LONGEST_VALUE, check_key, check_value, missing


@pytest.mark.parametrize("key", ["A", "_x", "OPENAI_API_KEY", "a1", "K" * 128])
def test_names_of_variables_name_secrets(key: str) -> None:
    """Whatever can name a variable can name a secret."""
    assert check_key(key) == key


@pytest.mark.parametrize("key", ["", "1A", "A-B", "A B", "a/b", "..", "K" * 129, "Ä", "A\n", "A=B"])
def test_other_names_are_refused(key: str) -> None:
    """Nothing else does: no path, no option, no line end."""
    with pytest.raises(UsageError, match="cannot name a secret"):
        check_key(key)


@pytest.mark.parametrize("value", ["x", "two\nlines\n", "§ü😀", "y" * LONGEST_VALUE])
def test_values_that_a_variable_can_hold(value: str) -> None:
    """Any text is a value, of several lines too."""
    assert check_value("K", value) == value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "is empty"),
        ("sesame\0", "NUL"),
        ("sesame\udc80", "UTF-8"),
        ("y" * (LONGEST_VALUE + 1), "longer than 64 KiB"),
    ],
)
def test_other_values_are_refused_without_being_shown(value: str, why: str) -> None:
    """What a variable cannot hold is refused, and no word of it is repeated."""
    with pytest.raises(UsageError, match=why) as caught:
        check_value("K", value)
    assert "sesame" not in str(caught.value)


def test_a_missing_secret_says_how_to_keep_it() -> None:
    """The error names the command."""
    error = missing("GH_TOKEN")
    assert isinstance(error, SecretMissingError)
    assert error.hint == "aim secrets set GH_TOKEN"
