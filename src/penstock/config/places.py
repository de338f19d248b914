"""Where things lie: the database, the bundles, the schema. Option > environment > file > default."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from penstock.errors import ConfigError
from penstock.model.settings import Origin, PipelineSettings

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_TRUE = frozenset({"1", "true", "yes", "on"})


def database_path(
    root: Path,
    settings: PipelineSettings,
    option: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """Return the journal's file: `--db` > PIPELINE_DB_URL > PIPELINE_DB_PATH > `db` of the file.

    A relative path counts from the repository root. Raises ConfigError for a URL, an empty path
    or a folder.
    """
    given = Origin(value=settings.db, source="db in config/pipeline.yaml")
    return _database(root, choose_database(given, option, environ))


def choose_database(
    given: Origin, option: str | None, environ: Mapping[str, str] | None = None
) -> Origin:
    """Return the winning value for the database with its source. Raises ConfigError for a URL."""
    env = os.environ if environ is None else environ
    chosen = given
    if option is not None:
        chosen = Origin(value=option, source="option --db")
    elif env.get("PIPELINE_DB_URL"):
        _refuse_url(env["PIPELINE_DB_URL"], "environment PIPELINE_DB_URL")
    elif env.get("PIPELINE_DB_PATH"):
        chosen = Origin(value=env["PIPELINE_DB_PATH"], source="environment PIPELINE_DB_PATH")
    if _URL.match(chosen.value):
        _refuse_url(chosen.value, chosen.source)
    return chosen


def _refuse_url(url: str, source: str) -> None:
    """Say why not, without the URL itself: it may hold a password."""
    match = _URL.match(url)
    if match and match[1].lower() in ("postgres", "postgresql"):
        raise ConfigError(
            f"{source} names a PostgreSQL database, which is not supported yet",
            hint="Unset it, or give the path of an SQLite file (--db, PIPELINE_DB_PATH).",
        )
    what = f"a {match[1]}: URL" if match else "a value that is no URL"
    raise ConfigError(
        f"{source} holds {what}, which is not supported",
        hint="Give the path of an SQLite file through --db, PIPELINE_DB_PATH or `db`.",
    )


def _database(root: Path, origin: Origin) -> Path:
    path = resolve(root, origin.value, origin.source)
    if path.is_dir():
        raise ConfigError(
            f"{origin.source}: {path} is a folder", hint="Name a file, such as state/pipeline.db."
        )
    return path


def resolve(root: Path, value: str, source: str) -> Path:
    """Return a path, counted from `root` when relative. Raises ConfigError when it is none."""
    if not value.strip() or "\0" in value:
        raise ConfigError(f"{source}: {value!r} is not a path")
    try:
        return root / Path(value).expanduser()
    except RuntimeError as error:  # ~name of nobody
        raise ConfigError(f"{source}: {value}: {error}") from error


def schema_path(
    root: Path, option: str | None = None, environ: Mapping[str, str] | None = None
) -> Path | None:
    """Return the schema file of `--schema` or PIPELINE_SCHEMA_PATH; None is the packaged one.

    Raises ConfigError when the file is not there.
    """
    env = os.environ if environ is None else environ
    value, source = option, "option --schema"
    if value is None:
        value, source = env.get("PIPELINE_SCHEMA_PATH") or None, "environment PIPELINE_SCHEMA_PATH"
    if value is None:
        return None
    path = resolve(root, value, source)
    if not path.is_file():
        raise ConfigError(f"{source}: there is no file {path}")
    return path


def bundle_directory(
    root: Path, option: str | None = None, environ: Mapping[str, str] | None = None
) -> Path:
    """Return the folder of the bundles: `--dir` > PIPELINE_WORKSTREAM_DIR > `workstreams/`."""
    env = os.environ if environ is None else environ
    if option is not None:
        return resolve(root, option, "option --dir")
    value = env.get("PIPELINE_WORKSTREAM_DIR") or "workstreams"
    return resolve(root, value, "environment PIPELINE_WORKSTREAM_DIR")


def dry_run_wanted(environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether PIPELINE_DRY_RUN asks for a dry run: 1, true, yes, on (any case)."""
    env = os.environ if environ is None else environ
    return env.get("PIPELINE_DRY_RUN", "").strip().lower() in _TRUE
