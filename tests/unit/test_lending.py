"""Who may have which secrets, from what is configured."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from penstock.errors import AIMRegistryNotFoundError
from penstock.lending import make_lender, naming_of
from penstock.model.settings import ToolProfile
from penstock.registry.api import Registry, RegistryTool
from penstock.registry.signin import WAYS
from penstock.vault.lending import Naming


def profile(*names: str) -> ToolProfile:
    """Return a profile that names secrets."""
    return ToolProfile(tool_id="t", command="t", secrets=names)


def entry(secrets: tuple[str, ...] | None = None, script: Path | None = None) -> RegistryTool:
    """Return a tool of the registry."""
    return RegistryTool(
        tool_id="t", name="t", detect_commands=(("t",),), secrets=secrets, adapter_script=script
    )


def test_our_adapters_ask_for_the_keys_of_their_tools() -> None:
    """Without any configuration these are the keys that the tool signs in with."""
    for configured in (None, entry()):
        found = naming_of("claude-cli", None, configured)
        assert found == Naming(wanted=WAYS["claude-cli"].keys)
        assert found.names == WAYS["claude-cli"].keys


def test_programs_of_others_ask_for_none() -> None:
    """A profile, a tool without a key, and an adapter program of a well-known name."""
    assert naming_of("mine", ToolProfile(tool_id="mine", command="m"), None) == Naming()
    assert naming_of("ruff", None, entry()) == Naming()
    assert naming_of("aider", None, entry(script=Path("/adapter.py"))) == Naming()


def test_what_is_stated_counts() -> None:
    """Of profile and registry, each name once; an empty list is a statement, too."""
    both = naming_of("aider", profile("A", "B"), entry(("B", "C")))
    assert (both.names, both.stated) == (("A", "B", "C"), ("A", "B", "C"))
    assert naming_of("aider", None, entry(())).names == ()
    assert naming_of("aider", profile("A"), entry()).names == ("A",)


class Kept:
    """A vault with one secret."""

    def listed(self) -> tuple[str, ...]:
        """Return its name."""
        return ("A",)

    def values(self, keys: Iterable[str] | None = None) -> dict[str, str]:
        """Return its value where it is asked for."""
        return {key: "value" for key in keys or () if key == "A"}


def test_without_registry_and_trail_profiles_count() -> None:
    """Where there is no registry, or AIM is off, and nothing is recorded, tools still get theirs."""

    def lost() -> Registry:
        raise AIMRegistryNotFoundError

    for registry in (lost, lambda: None):
        lender = make_lender(Kept(), {"t": profile("A", "B")}, registry, lambda: None)
        assert lender.kept("t") == ("A",)
        with lender.turn("t"):
            pass
