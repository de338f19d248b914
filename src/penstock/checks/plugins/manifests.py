"""Reading manifests, and refusing those that cannot be right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import msgspec

from penstock.checks.plugins.readers.table import READERS
from penstock.checks.regular import read_regular
from penstock.errors import ConfigError
from penstock.model.manifest import Manifest, OutputSpec, PluginKind, ToolSpec
from penstock.typed import typed_json

MANIFEST = "manifest.json"
_LARGEST = 1 << 18
# compiled when needed: built-in manifests are not looked through
_ID = r"[a-z0-9][a-z0-9_.-]{0,63}"
_PLACEHOLDER = r"\{[a-z_]+\}"
_KNOWN = frozenset({"{files}", "{report}", "{config}", "{cache}", "{scratch}"})
_MAPPED = (
    *("items", "format", "path", "line", "column", "end_line", "end_column"),
    *("code", "message", "severity", "url", "fixable"),
)
"""What a mapping may say: see readers.jsonmap."""
_MAX_CODE = 255


def read_manifest(folder: Path, *, trusted: bool = False) -> tuple[Manifest, str]:
    """Return the manifest in a plugin's folder and a digest of it.

    A `trusted` one, looked through before, is taken for right when it can be decoded. Raises
    ConfigError with a line that names the file and what is wrong with it.
    """
    path = folder / MANIFEST
    try:
        data = read_regular(path, limit=_LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > _LARGEST:
        raise ConfigError(f"{path} is larger than {_LARGEST} bytes")
    try:
        manifest = typed_json(data, Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is no manifest: {error}") from error
    wrong = None if trusted else next(mistakes(manifest, folder.name), None)
    if wrong is not None:
        raise ConfigError(f"{path}: {wrong}")
    return manifest, blake2b(data, digest_size=10).hexdigest()


def beside(file: str) -> Manifest:
    """Return the manifest that lies beside a plugin.py; for its `register`. Raises ConfigError."""
    return read_manifest(Path(file).parent, trusted=True)[0]


def mistakes(manifest: Manifest, folder: str | None = None) -> Iterator[str]:
    """Yield what cannot be right in a manifest, in the folder of that name."""
    plugin_id = manifest.plugin_id
    if not re.fullmatch(_ID, plugin_id):
        yield f"plugin_id {plugin_id!r} may have lower-case letters, digits, _, . and - alone"
    if folder is not None and plugin_id != folder:
        yield f"plugin_id is {plugin_id!r}, but its folder is called {folder!r}"
    if manifest.resources.cores < 1:
        yield "resources.cores must be at least 1"
    if manifest.depends.max_age_s is not None and not manifest.depends.max_age_s > 0:
        yield "depends.max_age_s must be more than 0"
    if manifest.tool is not None:
        yield from _tool_mistakes(manifest, manifest.tool)
    if manifest.output is not None:
        yield from _output_mistakes(manifest.output)


def _tool_mistakes(manifest: Manifest, tool: ToolSpec) -> Iterator[str]:
    if not tool.command.strip() or "\0" in tool.command:
        yield "tool.command is empty"
    if not 0 < tool.timeout_s <= 86_400:
        yield "tool.timeout_s must be more than 0 and at most 86400"
    if not all(0 <= code <= _MAX_CODE for code in _codes(tool)):
        yield f"exit codes are between 0 and {_MAX_CODE}"
    if manifest.output is None:
        yield "output is missing: nothing could be read of what the tool says"
    if manifest.kind is PluginKind.FIXER and not tool.fix_arguments:
        yield "a fixer needs tool.fix_arguments"
    if manifest.kind is PluginKind.CHECKER and tool.fix_arguments:
        yield "tool.fix_arguments are for the kind fixer"
    yield from _word_mistakes(manifest, tool)


def _codes(tool: ToolSpec) -> tuple[int, ...]:
    announced = () if tool.findings_codes == "any" else tool.findings_codes
    return (*tool.success_codes, *announced, tool.findings_mask)


def _word_mistakes(manifest: Manifest, tool: ToolSpec) -> Iterator[str]:
    words = (*tool.arguments, *tool.fix_arguments, *tool.env.values())
    for word in words:
        for name in re.findall(_PLACEHOLDER, word):
            if name not in _KNOWN:
                yield f"{name} in {word!r} is not known; there are {', '.join(sorted(_KNOWN))}"
        if "{files}" in word and (word != "{files}" or word in tool.env.values()):
            yield f"{{files}} must be an argument of its own, not a part of {word!r}"
    if any("{config}" in word for word in words) and not tool.needs_config:
        yield "{config} needs tool.needs_config to say what is looked for"
    output = manifest.output
    if output is not None and output.stream == "report" and "{report}" not in " ".join(words):
        yield "output.stream is report, but no argument has {report}"


def _output_mistakes(output: OutputSpec) -> Iterator[str]:
    if output.reader not in READERS:
        yield f"output.reader {output.reader!r} is not known; there are {', '.join(READERS)}"
    if output.reader == "json" and "items" not in output.mapping:
        yield "the reader json needs output.mapping.items"
    for name in output.mapping:
        if name not in _MAPPED:
            yield f"output.mapping has no {name!r}; there are {', '.join(_MAPPED)}"
    if output.pattern is None:
        return
    try:
        groups = re.compile(output.pattern).groupindex
    except re.error as error:
        yield f"output.pattern is no regular expression: {error}"
        return
    if "message" not in groups and "path" not in groups:
        yield "output.pattern has neither a group `message` nor `path`"
