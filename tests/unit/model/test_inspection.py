"""What a report of the error engine says of itself."""

from __future__ import annotations

from penstock.model.inspection import PluginState, PluginUse
from tests.support.findings import finding, report, result


def use(plugin_id: str, state: PluginState, tool: str | None, reason: str = "") -> PluginUse:
    """A plugin with its tool's name."""
    return PluginUse(plugin_id=plugin_id, state=state, tool=tool, reason=reason or None)


def test_a_tool_has_looked_when_all_its_plugins_did_their_work() -> None:
    """One that is missing or failed says nothing; one without files has nothing to say."""
    uses = (
        use("python_ruff", PluginState.CACHED, "ruff"),
        use("python_ruff_format", PluginState.IDLE, "ruff"),
        use("python_mypy", PluginState.RAN, "mypy"),
        use("python_mypy_strict", PluginState.FAILED, "mypy"),
        use("python_bandit", PluginState.UNAVAILABLE, "bandit"),
        use("unknown", PluginState.RAN, None),
    )
    assert report(plugins=uses).looked == {"ruff"}


def test_a_report_passes_when_every_file_did_and_every_path_was_taken() -> None:
    """A path that could not be taken fails it without any finding."""
    assert report(result()).passed
    assert not report(result(finding())).passed
    assert not report(result(), unusable=(("x", "gone"),)).passed


def test_infra_tells_why_plugins_could_not_work() -> None:
    """A missing tool is no failure."""
    failed = use("python_mypy", PluginState.FAILED, "mypy", "exit code 2")
    missing = use("bandit", PluginState.UNAVAILABLE, "bandit", "not installed")
    assert report(plugins=(failed, missing)).infra == ("python_mypy: exit code 2",)
