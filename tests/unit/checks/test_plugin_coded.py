"""Plugins with code of their own, and what all plugins share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.checks.api import Place
from penstock.checks.plugins.base import ForgetfulMemory
from penstock.checks.plugins.coded import CodedPlugin
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.model.finding import Finding
from penstock.model.manifest import Manifest
from tests.support.plugins import Bench, manifest


class Lengths(CodedPlugin):
    """Finds files that are longer than three bytes; the word `stop` asks to stop."""

    bench: Bench

    def look(self, path: str, data: bytes, _place: Place) -> Iterator[Finding]:
        """Tell of long files."""
        if data == b"stop":
            self.bench.stop.ask()
        if len(data) > 3:
            yield Finding(tool="lengths", message=f"{len(data)} bytes", path=path)


@pytest.fixture(name="bench")
def _bench(tmp_path: Path) -> Bench:
    """Return a tree with files."""
    bench = Bench(tmp_path.resolve())
    for name, text in {"a": "1", "b": "four", "c": "stop", "d": "longer"}.items():
        (bench.tree / name).write_text(text, encoding="utf-8")
    return bench


def lengths(bench: Bench) -> Lengths:
    """Return the plugin."""
    plugin = Lengths(Manifest(plugin_id="lengths", name="Lengths"))
    plugin.bench = bench
    return plugin


def test_code_looks_at_each_file(bench: Bench) -> None:
    """The findings of all files are the batch's; a name that looks like an option is one, too."""
    (bench.tree / "-x").write_text("dash!", encoding="utf-8")
    result = lengths(bench).check(["a", "b", "-x"], bench.place, bench.call())
    assert [(f.path, f.message) for f in result.issues] == [("b", "4 bytes"), ("-x", "5 bytes")]
    assert (result.success, result.returncode, result.problem) == (True, None, None)


def test_a_file_that_cannot_be_read_is_a_problem(bench: Bench) -> None:
    """A file that is gone fails the batch, with its name and what was found before."""
    result = lengths(bench).check(["b", "gone"], bench.place, bench.call())
    assert (result.success, len(result.issues)) == (False, 1)
    assert result.problem == "gone cannot be read: No such file or directory"


def test_a_stop_is_seen_between_files(bench: Bench) -> None:
    """When the user asks to stop, the rest is not looked at."""
    result = lengths(bench).check(["c", "d"], bench.place, bench.call())
    assert (result.success, result.interrupted, len(result.issues)) == (False, True, 1)


def test_it_needs_no_tool(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is always there, has no command, fixes nothing, and has the documented form."""
    monkeypatch.chdir(bench.tree)
    plugin = lengths(bench)
    assert plugin.check_tool_available()
    assert plugin.build_command("a") == []
    assert len(plugin.execute("b").issues) == 1
    assert not plugin.fix(["a"], bench.place, bench.call()).success
    assert not plugin.is_fixer


def test_arguments_stand_for_the_whole_manifest() -> None:
    """Anything in a manifest that may change a result changes the arguments of the key."""
    plain = ManifestPlugin(manifest(tool={"arguments": ["-q"]}))
    other = ManifestPlugin(manifest(tool={"arguments": ["-q"]}, output={"severity": "error"}))
    assert plain.arguments(fix=False)[0] == "-q"
    assert plain.arguments(fix=False) != other.arguments(fix=False)
    assert plain.arguments(fix=False) == ManifestPlugin(plain.manifest).arguments(fix=False)
    digested = ManifestPlugin(plain.manifest, "a test", "made of this")
    assert digested.arguments(fix=True) == ("plugin made of this",)


def test_a_manifest_without_a_tool_starts_nothing() -> None:
    """Code that takes a plugin without a tool for one with a tool hears of it."""
    plugin = ManifestPlugin(Manifest(plugin_id="x", name="x"))
    with pytest.raises(ValueError, match="declares no tool"):
        plugin.tool  # noqa: B018 - it is the question
    assert repr(plugin) == "<plugin x, built in>"


def test_a_forgetful_memory_remembers_for_a_while() -> None:
    """Facts are kept as long as the memory itself."""
    memory = ForgetfulMemory()
    memory.remember({"a": "1"})
    assert memory.facts(["a", "b"]) == {"a": "1"}
