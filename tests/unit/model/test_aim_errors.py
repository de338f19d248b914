"""The errors of AIM: what they carry, and the code that they end the program with."""

from __future__ import annotations

import pytest

from penstock import errors
from penstock.errors import (
    AIMAllToolsFailedError,
    AIMCapabilityNotFoundError,
    AIMError,
    AIMValidationError,
)

DOCUMENTED = (
    "RegistryNotFound", "RegistryLoad", "CapabilityNotFound", "ToolNotFound", "AdapterNotFound",
    "AdapterInvocation", "AdapterTimeout", "AdapterOutput", "AllToolsFailed", "Validation",
    "AuditLog",
)  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTED)
def test_each_is_an_aim_error(name: str) -> None:
    """Every documented name is there, under AIMError."""
    assert issubclass(getattr(errors, f"AIM{name}Error"), AIMError)


def test_an_unknown_capability_names_the_known_ones() -> None:
    """The error carries the capability and the defined ones, sorted, and says both."""
    error = AIMCapabilityNotFoundError("cooking", ["testing", "linting"])
    assert (error.capability, error.available_capabilities) == ("cooking", ("linting", "testing"))
    assert "'cooking' not defined in coordination rules" in str(error)
    assert error.hint == "Defined are: linting, testing."


def test_all_tools_failed_lists_every_attempt() -> None:
    """The message is the documented one, with each tool and what it said in order."""
    error = AIMAllToolsFailedError("linting", [("ruff", "gone"), ("pylint", "crashed")])
    assert str(error) == "All tools failed for capability linting: ruff: gone; pylint: crashed"
    assert error.attempts == (("ruff", "gone"), ("pylint", "crashed"))
    assert "none could be tried" in str(AIMAllToolsFailedError("linting"))


def test_a_broken_limit_names_field_and_reason() -> None:
    """A refused payload says which part and why."""
    error = AIMValidationError("files", "too many")
    assert (error.field, error.reason, str(error)) == ("files", "too many", "files: too many")
