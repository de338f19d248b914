"""The manifest of a plugin of the error engine: which files it wants, what it starts, how it is read."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from penstock.model.finding import Category, Severity

DEFAULT_TIMEOUT_S = 120.0


class PluginKind(StrEnum):
    """What a plugin does: a fixer can rewrite files, a checker only reads them."""

    CHECKER = "checker"
    FIXER = "fixer"


class Reach(StrEnum):
    """What a result on a file depends on: the file alone, or all files of the project of its kind."""

    FILE = "file"
    PROJECT = "project"


class OutputSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a tool's output becomes findings.

    `reader` is a name of checks.plugins.readers (sarif, json, lines, listed, ruff, ...). `stream` is where
    the output is: stdout, stderr, or a report file whose name replaces `{report}` in the arguments. `mapping`
    serves the reader `json`: `items` is the path to the list (dots between keys, `[]` goes through
    a list, `*` through the values of an object), `format` is document, document-or-nothing or lines,
    the others (path, line, column, end_line, end_column, code, message, severity, url,
    fixable) are paths within an item, `^` steps out of it. `pattern` serves `lines` and `listed`: a regular
    expression with the groups path, line, column, code, severity, message; without one, `lines` reads
    `path:line:column: message`, and `listed` a path on each line. `severities` maps the tool's words (or code
    prefixes, ending in `*`) to ours; `categories` maps codes or prefixes. `zero_based`: its lines
    or columns count from 0.
    """

    reader: str
    stream: Literal["stdout", "stderr", "report"] = "stdout"
    mapping: dict[str, str] = msgspec.field(default_factory=dict)
    pattern: str | None = None
    category: Category = Category.OTHER
    severity: Severity = Severity.WARNING
    severities: dict[str, Severity] = msgspec.field(default_factory=dict)
    categories: dict[str, Category] = msgspec.field(default_factory=dict)
    zero_based: tuple[Literal["line", "column"], ...] = ()


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The program of a plugin and how to call it.

    `arguments` check, `fix_arguments` rewrite; `{files}` stands for the batch (appended when it is
    not there), `{report}` for a report file, `{config}` for the configuration file that was found,
    `{cache}` for a folder of the tool's own that outlives the run (its incremental mode),
    `{scratch}` for one that does not. `env` are variables, with the same placeholders except
    `{files}`.

    Exit codes: `success_codes` mean clean (findings may be there all the same), `findings_codes`
    mean that findings were printed: without any the tool has crashed; `"any"` takes every other
    code so. `findings_mask` takes codes whose bits all lie in the mask. `timeout_s` (seconds) holds
    for up to 50 files and grows with a larger batch.

    `distribution` (Python) and `package` (npm) tell where the version can be read without starting
    anything; `version_arguments` are the way else (none: it is not asked). `needs_config`: without
    one of these files the plugin is unavailable: patterns relative to the tree,
    `pyproject.toml#tool.x` for a table of a TOML file.
    """

    command: str
    arguments: tuple[str, ...] = ()
    fix_arguments: tuple[str, ...] = ()
    success_codes: tuple[int, ...] = (0,)
    findings_codes: tuple[int, ...] | Literal["any"] = (1,)
    findings_mask: int = 0
    timeout_s: float = DEFAULT_TIMEOUT_S
    version_arguments: tuple[str, ...] = ("--version",)
    distribution: str | None = None
    package: str | None = None
    install: str | None = None
    needs_config: tuple[str, ...] = ()
    env: dict[str, str] = msgspec.field(default_factory=dict)


class Dependence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a result depends on beside the file, the tool and its arguments: the parts of the cache key.

    `config_files` (names or patterns) count in every folder from the file's up to the root of the
    file system, there or not; `user_config_files` begin with `~`. What these name in turn
    (extended configurations, word lists) counts too. `project_extensions` are the files that a
    plugin of reach `project` can see; "" are those whose names have none. `packages`: what is installed beside the tool counts
    (stubs, plugins): python, node, or nothing.
    `network`: the answer is not ours to keep, it is asked for anew after `max_age_s` seconds.
    """

    reach: Reach = Reach.FILE
    config_files: tuple[str, ...] = ()
    user_config_files: tuple[str, ...] = ()
    project_extensions: tuple[str, ...] = ()
    packages: Literal["", "python", "node"] = ""
    network: bool = False
    max_age_s: float | None = None


class Resources(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run takes: `cores` of the machine, and whether a batch may be split over several runs."""

    cores: int = 1
    splits: bool = True


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One plugin. `file_extensions` without dots; empty or `*` is any file. `file_names` are patterns of whole
    names that count beside the extensions, `interpreters` those of a `#!` line. `requires` are plugins that come before it.
    `binary`: it can read files that are no text. `version` is the plugin's own.
    `tool` None: the plugin is code of its own (plugin.py)."""

    plugin_id: str
    name: str
    version: str = "1"
    kind: PluginKind = PluginKind.CHECKER
    file_extensions: tuple[str, ...] = ()
    file_names: tuple[str, ...] = ()
    interpreters: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    tool: ToolSpec | None = None
    output: OutputSpec | None = None
    depends: Dependence = Dependence()
    resources: Resources = Resources()
    binary: bool = False
    default: bool = True
    description: str = ""
