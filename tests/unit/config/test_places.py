"""Where the database, the schema and the bundles lie, by option, environment, file, default."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.config.places import (
    bundle_directory,
    database_path,
    dry_run_wanted,
    schema_path,
)
from penstock.errors import ConfigError
from penstock.model.settings import PipelineSettings

SETTINGS = PipelineSettings(db="file.db")
SECRET_URL = "postgresql://user:hunter2@host/db"


def test_the_database_counts_from_the_root(tmp_path: Path) -> None:
    """A relative path lies in the repository, an absolute one where it says."""
    assert database_path(tmp_path, SETTINGS, environ={}) == tmp_path / "file.db"
    assert database_path(tmp_path, SETTINGS, "/x/y.db", {}) == Path("/x/y.db")


def test_the_environment_stands_between_option_and_file(tmp_path: Path) -> None:
    """PIPELINE_DB_PATH beats the file and loses to the option; empty counts as not set."""
    env = {"PIPELINE_DB_PATH": "env.db"}
    assert database_path(tmp_path, SETTINGS, environ=env) == tmp_path / "env.db"
    assert database_path(tmp_path, SETTINGS, "o.db", env) == tmp_path / "o.db"
    empty = {"PIPELINE_DB_PATH": "", "PIPELINE_DB_URL": ""}
    assert database_path(tmp_path, SETTINGS, environ=empty) == tmp_path / "file.db"


@pytest.mark.parametrize(
    ("option", "db", "env"),
    [
        (SECRET_URL, "x", {}),
        (None, SECRET_URL, {}),
        (None, "x", {"PIPELINE_DB_URL": SECRET_URL, "PIPELINE_DB_PATH": "y"}),
        (None, "x", {"PIPELINE_DB_PATH": SECRET_URL.replace("postgresql", "Postgres")}),
    ],
)
def test_postgresql_is_refused_without_showing_the_password(
    tmp_path: Path, option: str | None, db: str, env: dict[str, str]
) -> None:
    """A PostgreSQL URL is refused clearly, wherever it stands, and never printed."""
    with pytest.raises(ConfigError, match="not supported yet") as caught:
        database_path(tmp_path, PipelineSettings(db=db), option, env)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_the_option_beats_a_url_of_the_environment(tmp_path: Path) -> None:
    """`--db` with a path works although PIPELINE_DB_URL is set."""
    env = {"PIPELINE_DB_URL": SECRET_URL}
    assert database_path(tmp_path, SETTINGS, "o.db", env) == tmp_path / "o.db"


@pytest.mark.parametrize("url", ["mysql://x", "sqlite:///x.db", "just a path"])
def test_other_urls_are_refused(tmp_path: Path, url: str) -> None:
    """PIPELINE_DB_URL with anything else says what to use instead."""
    with pytest.raises(ConfigError, match=r"PIPELINE_DB_URL holds .* not supported"):
        database_path(tmp_path, SETTINGS, environ={"PIPELINE_DB_URL": url})


@pytest.mark.parametrize("value", ["", "  ", "a\0b"])
def test_what_is_no_path_is_refused(tmp_path: Path, value: str) -> None:
    """Empty text and NUL are no paths."""
    with pytest.raises(ConfigError, match="is not a path"):
        database_path(tmp_path, SETTINGS, value, {})


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    """A folder in the database's place is refused before SQLite is asked."""
    with pytest.raises(ConfigError, match="is a folder"):
        database_path(tmp_path, SETTINGS, ".", {})


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the home folder and never a folder of that name."""
    monkeypatch.setenv("HOME", "/home/me")
    assert database_path(tmp_path, SETTINGS, "~/p.db", {}) == Path("/home/me/p.db")
    with pytest.raises(ConfigError, match="no-such-user-here"):
        database_path(tmp_path, SETTINGS, "~no-such-user-here/p.db", {})


def test_the_schema_is_packaged_unless_named(tmp_path: Path) -> None:
    """None is the packaged schema; a named one must be there."""
    (tmp_path / "a.sql").touch()
    (tmp_path / "b.sql").touch()
    env = {"PIPELINE_SCHEMA_PATH": "b.sql"}
    assert schema_path(tmp_path, environ={}) is None
    assert schema_path(tmp_path, environ=env) == tmp_path / "b.sql"
    assert schema_path(tmp_path, "a.sql", env) == tmp_path / "a.sql"
    with pytest.raises(ConfigError, match="option --schema: there is no file"):
        schema_path(tmp_path, "c.sql", {})


def test_the_bundles_lie_in_workstreams(tmp_path: Path) -> None:
    """Option, environment, default."""
    env = {"PIPELINE_WORKSTREAM_DIR": "env"}
    assert bundle_directory(tmp_path, environ={}) == tmp_path / "workstreams"
    assert bundle_directory(tmp_path, environ=env) == tmp_path / "env"
    assert bundle_directory(tmp_path, "option", env) == tmp_path / "option"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("1", True),
        ("true", True),
        ("YES", True),
        (" on ", True),
        ("0", False),
        ("", False),
        ("no", False),
    ],
)
def test_a_dry_run_is_wanted_by_four_words(value: str, wanted: bool) -> None:
    """1, true, yes and on ask for a dry run, nothing else does."""
    assert dry_run_wanted({"PIPELINE_DRY_RUN": value}) is wanted


def test_the_own_environment_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an environment given, the process's own counts."""
    monkeypatch.setenv("PIPELINE_DRY_RUN", "on")
    monkeypatch.setenv("PIPELINE_WORKSTREAM_DIR", "w")
    monkeypatch.delenv("PIPELINE_SCHEMA_PATH", raising=False)
    monkeypatch.setenv("PIPELINE_DB_PATH", "p.db")
    assert dry_run_wanted()
    assert bundle_directory(tmp_path) == tmp_path / "w"
    assert schema_path(tmp_path) is None
    assert database_path(tmp_path, SETTINGS) == tmp_path / "p.db"
