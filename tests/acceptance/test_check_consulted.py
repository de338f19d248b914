"""What single tools consult beside the file counts for what is kept of their results."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.checkers import checker_path
from tests.support.cli import child, make_repository
from tests.support.repofiles import write_files

ESLINT = "export default [{ rules: { %s } }];\n"
CASES: dict[str, tuple[str, str, dict[str, str], dict[str, str]]] = {
    # plugin, command, files, and what changes what is found
    "a new configuration in the file's folder": (
        "js_prettier_fix",
        "prettier",
        {"a/b.js": "const a = 'b';\n"},
        {"a/.prettierrc": '{"singleQuote": true}\n'},
    ),
    "a new configuration above": (
        "js_prettier_fix",
        "prettier",
        {"a/b.js": "const a = 'b';\n"},
        {"package.json": '{\n  "prettier": { "singleQuote": true }\n}\n'},
    ),
    "a new list of ignored files": (
        "js_prettier_fix",
        "prettier",
        {"a/b.js": "const a = 'b';\n"},
        {".prettierignore": "a/\n"},
    ),
    "an editor's configuration": (
        "js_prettier_fix",
        "prettier",
        {"a/b.js": "if (1) {\n\tf();\n}\n"},
        {".editorconfig": "root = true\n[*]\nindent_style = tab\n"},
    ),
    "a changed rule": (
        "js_eslint",
        "eslint",
        {"eslint.config.mjs": ESLINT % '"no-var": 2', "a/b.js": "var a = 1;\n"},
        {"eslint.config.mjs": ESLINT % '"no-var": 0'},
    ),
    "a configuration that a configuration imports": (
        "js_eslint",
        "eslint",
        {
            "eslint.config.mjs": 'import rules from "./rules.mjs";\nexport default [{ rules }];\n',
            "rules.mjs": 'export default { "no-var": 2 };\n',
            "a/b.js": "var a = 1;\n",
        },
        {"rules.mjs": 'export default { "no-var": 0 };\n'},
    ),
    "a nearer configuration": (
        "js_eslint",
        "eslint",
        {"eslint.config.mjs": ESLINT % '"no-var": 2', "a/b.js": "var a = 1;\n"},
        {"a/eslint.config.js": "module.exports = [];\n"},
    ),
    "a configuration of yamllint": (
        "yaml_yamllint",
        "yamllint",
        {"a.yaml": "---\na:   1\n"},
        {".yamllint.yml": "extends: relaxed\nrules: {colons: disable}\n"},
    ),
    "a list of ignored files that a configuration names": (
        "yaml_yamllint",
        "yamllint",
        {
            "a.yaml": "---\na:   1\n",
            ".yamllint": "extends: default\nignore-from-file: skipped\n",
            "skipped": "x\n",
        },
        {"skipped": "a.yaml\n"},
    ),
    "a configuration of mdformat": (
        "md_mdformat_fix",
        "mdformat",
        {"a/b.md": "1. one\n2. two\n"},
        {".mdformat.toml": "number = true\n"},
    ),
    "Markdown that Prettier takes over": (
        "md_mdformat_fix",
        "mdformat",
        {"a/b.md": "* one\n"},
        {".prettierrc": "{}\n"},
    ),
    "a configuration of markdownlint": (
        "md_markdownlint",
        "markdownlint",
        {"a.md": "# A\n\n\n\ntext\n"},
        {".markdownlint.yaml": "MD012: false\n"},
    ),
    "a script that a script sources": (
        "shellcheck",
        "shellcheck",
        {
            "a.sh": '#!/bin/sh\n. ./lib.sh\necho "$named"\n',
            "lib.sh": "# shellcheck shell=sh\nother=1\n",
        },
        {"lib.sh": "# shellcheck shell=sh\nnamed=1\n"},
    ),
    "a script without an extension": (
        "shellcheck",
        "shellcheck",
        {"a.sh": '#!/bin/sh\n. ./common\necho "$named"\n', "common": "other=1\n"},
        {"common": "named=1\n"},
    ),
    "a configuration of ShellCheck": (
        "shellcheck",
        "shellcheck",
        {"a.sh": "#!/bin/sh\ncd x\n"},
        {".shellcheckrc": "disable=SC2164\n"},
    ),
}


class Consulting:
    """A repository that is checked by one plugin."""

    def __init__(self, folder: Path, plugin_id: str, command: str) -> None:
        self.root = make_repository(folder / "project")
        (folder / "home").mkdir()
        self._plugin_id = plugin_id
        self._env = {"PATH": checker_path(command), "HOME": str(folder / "home")}

    def found(self, *options: str) -> list[tuple[str, str, int | None]]:
        """Return what is found in all files: path, code and line."""
        arguments = ("check", "--only", self._plugin_id, "--json", *options)
        files = child(*arguments, cwd=self.root, env=self._env).json["files"]
        found = sorted(
            (file["file_in"], issue["code"] or "", issue["line"] or 0)
            for file in files
            for issue in file["issues"]
            if issue["code"] != "no-checker"
        )
        assert "plugin-failed" not in {code for _, code, _ in found}
        return found


@pytest.mark.parametrize("case", CASES)
def test_what_a_tool_consults_counts(case: str, tmp_path: Path) -> None:
    """After each change the cached answer is the one of a run without a cache, and another than before."""
    plugin_id, command, files, change = CASES[case]
    project = Consulting(tmp_path, plugin_id, command)
    write_files(project.root, files)
    before = project.found()
    assert project.found() == before
    write_files(project.root, change)
    after = project.found()
    assert after != before
    assert after == project.found("--no-cache")


UGLY = {
    "a.js": "const a = {b:1}\n",
    "b.yaml": "a:   1\n",
    "c.json": '{"a":1,\n"b":[ 1]}\n',
    "docs/d.md": "# D\n* one\n* two\n1) x\n",
    "web/.prettierrc": "{}\n",
    "web/e.md": "# E\n* one\n\n\n\n* two\n",
}


def unformatted(root: Path, env: dict[str, str], *options: str) -> set[str]:
    """Return the files that a formatter would rewrite."""
    arguments = ("check", "--only", "js_prettier_fix,md_mdformat_fix", "--json", *options)
    files = child(*arguments, cwd=root, env=env).json["files"]
    return {f["file_in"] for f in files if "format" in {issue["code"] for issue in f["issues"]}}


def test_formatters_do_not_fight(tmp_path: Path) -> None:
    """After one --fix no formatter finds anything in what another has written."""
    root = make_repository(tmp_path / "project")
    write_files(root, UGLY)
    env = {"PATH": checker_path("prettier", "mdformat"), "HOME": str(tmp_path)}
    assert unformatted(root, env) == UGLY.keys() - {"web/.prettierrc"}
    assert unformatted(root, env, "--fix") == set()
    assert unformatted(root, env, "--no-cache") == set()
    assert (root / "docs/d.md").read_text(encoding="utf-8") != UGLY["docs/d.md"]
