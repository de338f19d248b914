"""Manifests: what is taken, and what is refused in a clear line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.checks.plugins.manifests import beside, mistakes, read_manifest
from penstock.errors import ConfigError
from tests.support.plugins import declared, manifest, write_plugin

Damage = Callable[[Path], object]


def test_a_manifest_is_read_with_a_digest(tmp_path: Path) -> None:
    """The digest is of the bytes, so that any edit of a manifest is seen."""
    folder = write_plugin(tmp_path, declared())
    read, digest = read_manifest(folder)
    assert read == manifest()
    (folder / "manifest.json").write_text(json.dumps(declared()) + "\n", encoding="utf-8")
    assert read_manifest(folder)[1] != digest


def test_the_manifest_beside_a_plugin(tmp_path: Path) -> None:
    """A plugin.py gets the manifest in its own folder."""
    folder = write_plugin(tmp_path, declared())
    assert beside(str(folder / "plugin.py")) == manifest()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"plugin_id": "Spell"}, "lower-case"),
    ({"plugin_id": "../x"}, "lower-case"),
    ({"plugin_id": "other"}, "its folder is called 'spell'"),
    ({"resources": {"cores": 0}}, "cores must be at least 1"),
    ({"depends": {"max_age_s": 0}}, "max_age_s must be more than 0"),
    ({"tool": {"command": " "}}, "command is empty"),
    ({"tool": {"timeout_s": 0}}, "timeout_s must be"),
    ({"tool": {"timeout_s": 1e9}}, "timeout_s must be"),
    ({"tool": {"findings_codes": [256]}}, "between 0 and 255"),
    ({"tool": {"success_codes": [-1]}}, "between 0 and 255"),
    ({"kind": "fixer"}, "needs tool.fix_arguments"),
    ({"tool": {"fix_arguments": ["-w"]}}, "for the kind fixer"),
    ({"tool": {"arguments": ["--x={file}"]}}, "{file} in '--x={file}' is not known"),
    ({"tool": {"arguments": ["--x={files}"]}}, "an argument of its own"),
    ({"tool": {"env": {"A": "{files}"}}}, "an argument of its own, not a part of '{files}'"),
    ({"tool": {"env": {"A": "{config}"}}}, "needs tool.needs_config"),
    ({"output": {"stream": "report"}}, "no argument has {report}"),
    ({"output": {"reader": "psychic"}}, "'psychic' is not known"),
    ({"output": {"reader": "json"}}, "mapping.items"),
    ({"output": {"mapping": {"mesage": "m"}}}, "mapping has no 'mesage'"),
    ({"output": {"pattern": "("}}, "no regular expression"),
    ({"output": {"pattern": "x"}}, "neither a group"),
]


@pytest.mark.parametrize(("change", "said"), WRONG, ids=[said for _, said in WRONG])
def test_mistakes_are_named(change: dict[str, Any], said: str) -> None:
    """Each thing that cannot be right has a line of its own."""
    plugin_id = change.pop("plugin_id", "spell")
    found = list(mistakes(manifest(plugin_id, **change), "spell"))
    change |= {"plugin_id": plugin_id} if plugin_id != "spell" else {}
    assert any(said in line for line in found), found


def test_a_tool_without_an_output_cannot_be_read() -> None:
    """A tool needs a reader; the code of a plugin needs neither."""
    value = declared()
    del value["output"]
    assert any("output is missing" in line for line in mistakes(_decoded(value)))
    del value["tool"]
    assert list(mistakes(_decoded(value))) == []


def _decoded(value: dict[str, Any]) -> Any:
    import msgspec

    from penstock.model.manifest import Manifest

    return msgspec.convert(value, Manifest)


def test_all_that_can_be_declared_is_taken() -> None:
    """A manifest that uses every placeholder and kind of code has no mistake."""
    full = manifest(
        kind="fixer",
        tool={
            "arguments": ["-c", "{config}", "--out={report}", "{files}", "--cache", "{cache}"],
            "fix_arguments": ["-w", "{files}"],
            "findings_codes": "any",
            "needs_config": ["*.cfg"],
            "env": {"TMP": "{scratch}/x"},
        },
        output={"stream": "report"},
        depends={"network": True, "max_age_s": 60},
    )
    assert list(mistakes(full, "spell")) == []


BROKEN: list[tuple[str, str]] = [
    ("", "no manifest"),
    ("{", "no manifest"),
    ("[]", "no manifest"),
    ('{"plugin_id": "broken"}', "missing required field `name`"),
    ('{"plugin_id": "broken", "name": "x", "colour": 1}', "unknown field `colour`"),
    ('{"plugin_id": "broken", "name": 5}', "Expected `str`"),
    ('{"plugin_id": "broken", "name": "' + "x" * (1 << 18) + '"}', "larger than"),
    ("[" * 100_000, "no manifest"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN, ids=[str(n) for n in range(len(BROKEN))])
def test_broken_manifests_are_refused(tmp_path: Path, text: str, said: str) -> None:
    """What is no manifest raises a ConfigError that names the file and what is wrong."""
    folder = write_plugin(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_manifest(folder)
    assert str(folder / "manifest.json") in str(caught.value)
    assert said in str(caught.value)


def _no_text(path: Path) -> None:
    path.write_bytes(b'{"plugin_id": "\xff"}')


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


@pytest.mark.parametrize("damage", [_no_text, _folder, _loop, Path.unlink])
def test_what_cannot_be_read_is_refused(tmp_path: Path, damage: Damage) -> None:
    """A folder, a loop, a missing file or no text in place of a manifest is a ConfigError."""
    folder = write_plugin(tmp_path, declared())
    damage(folder / "manifest.json")
    with pytest.raises(ConfigError, match="manifest"):
        read_manifest(folder)
