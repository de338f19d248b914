"""Reading config/router_config.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from penstock.config.documents import ConfigFileError
from penstock.config.router import NAME, load_router_config
from penstock.model.capability import Strategy
from tests.support.routers import app, content, edit_rule, router_config, write_router

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "schema" / "router_config.schema.json").read_text("utf-8")
)


def problems(folder: Path, value: object) -> tuple[str, ...]:
    """What is said to be wrong with a file."""
    with pytest.raises(ConfigFileError) as caught:
        load_router_config(write_router(folder, value))
    return caught.value.problems


def test_a_file_is_read_with_its_defaults(tmp_path: Path) -> None:
    """What is not named holds as documented."""
    config = router_config(tmp_path, edit_rule())
    defaults = config.defaults
    assert (defaults.max_attempts, defaults.timeout_seconds) == (3, 600.0)
    assert defaults.strategy is Strategy.FIXED
    assert list(config.apps) == ["a", "b", "c", "d"]
    assert config.apps["a"].limits.timeout_seconds == 600.0


def test_a_repository_is_looked_into(tmp_path: Path) -> None:
    """The folder's config/router_config.json, with comments and a `$schema`."""
    (tmp_path / "config").mkdir()
    text = json.dumps({"$schema": "x", **content()})
    (tmp_path / NAME).write_text("// ours\n" + text, encoding="utf-8")
    assert load_router_config(tmp_path).version == "1.0.0"


def test_a_missing_file_is_said_to_be(tmp_path: Path) -> None:
    """With the name that was looked for."""
    with pytest.raises(ConfigFileError, match=f"{NAME}: there is no such file"):
        load_router_config(tmp_path)
    with pytest.raises(ConfigFileError, match=r"x\.json: there is no such file"):
        load_router_config(tmp_path / "x.json")


def test_every_error_is_listed_at_once(tmp_path: Path) -> None:
    """Types, ranges, missing and unknown keys, each with its place."""
    value: dict[str, Any] = content(edit_rule(strategy="luck"))
    value["version"] = "1"
    value["apps"]["a"] = {"kind": "robot", "capabilities": {"task_kinds": "edit"}, "colour": 1}
    value["apps"]["b"]["limits"] = {"max_parallel": 0, "timeout_seconds": 0}
    told = "\n".join(problems(tmp_path, value))
    for place in ("version", "apps.a", "apps.a.kind", "apps.a.capabilities.task_kinds",
                  "apps.a.colour", "apps.b.limits.max_parallel", "apps.b.limits.timeout_seconds",
                  "routing.rules[0].strategy"):  # fmt: skip
        assert f"{place}: " in told
    assert "command is missing" in told


def test_names_that_lead_nowhere_are_listed(tmp_path: Path) -> None:
    """Apps that are not there, rules named twice, commands that are none."""
    value = content(
        edit_rule("r", select="az"),
        edit_rule("r", validate_with=["bb"]),
        apps={"a": app("edit", command="say 'no"), "b": app("edit", command=" "), "c": app()},
    )
    assert problems(tmp_path, value) == (
        "apps.a.command: cannot be split into arguments: No closing quotation",
        "apps.b.command: names no program",
        "routing.rules[0].select_from[1]: there is no app 'z'; known: a, b, c",
        "routing.rules[1].id: r is given twice",
        "routing.rules[1].validate_with[0]: there is no app 'bb'; did you mean b?",
    )


@pytest.mark.parametrize("value", [[], "[", "null", "{}", b"\xff", '{"version": "1.0.0"}'])
def test_rubbish_is_refused(tmp_path: Path, value: object) -> None:
    """With an error of ours."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    assert problems(tmp_path, text)


def test_the_kept_schema_takes_what_the_loader_takes(tmp_path: Path) -> None:
    """Editors that use it see the same."""
    good = content(edit_rule(strategy="auto", required=True, validate_with=["d"]))
    assert load_router_config(write_router(tmp_path, good)).routing.rules[0].required
    assert jsonschema_rs.is_valid(SCHEMA, good)
    assert not jsonschema_rs.is_valid(SCHEMA, content(version="1"))
