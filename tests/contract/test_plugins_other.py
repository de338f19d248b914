"""The built-in plugins for JavaScript, JSON, YAML, Markdown and shell scripts, with their real tools."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from penstock.checks.plugins.port import Unavailable
from penstock.model.finding import Category, Severity
from tests.support.checkers import REQUIRE, use_checkers
from tests.support.plugin_runs import ScratchTree

COMMANDS = (
    "prettier",
    "eslint",
    "yamllint",
    "mdformat",
    "markdownlint",
    "shellcheck",
    "kingfisher",
)
# names that tools may take for options, patterns or groups; a batch holds them all
ODD_NAMES = ("[id]", "a b", "-x", "!n", "{a,b}", "sub/$x", ".hid/a", "ünï")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScratchTree:
    """Return an empty tree; the real checkers come first on PATH."""
    use_checkers(monkeypatch, *COMMANDS)
    monkeypatch.setenv("HOME", str(tmp_path))
    return ScratchTree(tmp_path)


def odd(tree: ScratchTree, ending: str, text: str) -> list[str]:
    """Write the same text under all odd names; return these."""
    names = [f"{name}{ending}" for name in ODD_NAMES]
    tree.write(dict.fromkeys(names, text))
    return names


# -- Prettier ------------------------------------------------------------------------------------
UGLY_JS = "const a = {b:1}\n"
PRETTY_JS = "const a = { b: 1 };\n"


def test_prettier_lists_what_it_would_rewrite(tree: ScratchTree) -> None:
    """Each kind of file that is not as it would write it is one finding that it can mend."""
    tree.write({"a.js": UGLY_JS, "b.json": '{"a":1}\n', "c.yml": "a:   1\n", "ok.ts": PRETTY_JS})
    result = tree.check("js_prettier_fix", "a.js", "b.json", "c.yml", "ok.ts")
    assert [(f.path, f.code) for f in result.issues] == [
        ("a.js", "format"),
        ("b.json", "format"),
        ("c.yml", "format"),
    ]
    assert all(f.category is Category.FORMATTING and f.fixable for f in result.issues)


def test_prettier_is_content_with_its_own_work(tree: ScratchTree) -> None:
    """A clean file is no finding, and looking changes nothing."""
    tree.write({"ok.js": PRETTY_JS, "ok.yaml": "a: 1\n"})
    assert tree.found("js_prettier_fix", "ok.js", "ok.yaml") == []


def test_prettier_tells_what_it_cannot_parse(tree: ScratchTree) -> None:
    """A syntax error is an error at its place, and the rest of the batch is looked at."""
    tree.write({"bad.js": "x = {\n", "bad.yaml": "a: 1\nb:  - 1\n", "ugly.js": UGLY_JS})
    result = tree.check("js_prettier_fix", "bad.js", "bad.yaml", "ugly.js")
    assert result.success
    syntax = {(f.path, f.line, f.column) for f in result.issues if f.category is Category.SYNTAX}
    assert syntax == {("bad.js", 2, 1), ("bad.yaml", 2, 5)}
    assert {f.path for f in result.issues if f.category is Category.FORMATTING} == {"ugly.js"}


def test_prettier_rewrites(tree: ScratchTree) -> None:
    """Fixing rewrites what it can parse, and leaves the rest alone."""
    tree.write({"a.js": UGLY_JS, "bad.js": "x = {\n"})
    result = tree.fix("js_prettier_fix", "a.js", "bad.js")
    assert result.success
    assert (tree.text("a.js"), tree.text("bad.js")) == (PRETTY_JS, "x = {\n")


def test_prettier_obeys_the_repository(tree: ScratchTree) -> None:
    """Its configuration and the files that it is to ignore are those of the tree."""
    tree.write({"a.js": "const a = 'b'\n", "gen/b.js": UGLY_JS})
    tree.write(
        {".prettierrc": '{"semi": false, "singleQuote": true}\n', ".prettierignore": "gen\n"}
    )
    assert tree.found("js_prettier_fix", "a.js", "gen/b.js") == []


def test_prettier_with_a_broken_configuration_is_a_problem(tree: ScratchTree) -> None:
    """Nothing has been looked at then, which is no pass."""
    tree.write({"a.js": PRETTY_JS, ".prettierrc": "{broken"})
    result = tree.check("js_prettier_fix", "a.js")
    assert not result.success
    assert "Invalid configuration" in (result.problem or "")


def test_prettier_is_not_given_links(tree: ScratchTree) -> None:
    """It refuses them; the file behind a link is looked at under its own name."""
    tree.write({"a.js": UGLY_JS})
    (tree.root / "link.js").symlink_to("a.js")
    assert tree.found("js_prettier_fix", "link.js", "a.js") == ["a.js warning/formatting format"]
    assert tree.found("js_prettier_fix", "link.js") == []


@pytest.mark.parametrize(
    ("configuration", "prettier"),
    [
        ({}, False),
        ({".prettierrc": "{}"}, True),
        ({"package.json": '{"prettier": {}}'}, True),
        ({"package.yaml": "name: x\nprettier:\n  semi: false\n"}, True),
        ({"package.json": '{"name": "x"}'}, False),
        ({"prettier.config.mjs": "export default {};\n"}, True),
        ({".prettierrc": "{}", "docs/.mdformat.toml": ""}, False),
        ({"other/.prettierrc": "{}"}, False),
    ],
)
def test_markdown_has_one_formatter(
    tree: ScratchTree, configuration: dict[str, str], prettier: bool
) -> None:
    """It is Prettier where the repository configures that and not mdformat, for they do not agree."""
    tree.write({"docs/a.md": "# A\n\n\n\ntext\n", **configuration})
    found = {name: tree.found(name, "docs/a.md") for name in ("js_prettier_fix", "md_mdformat_fix")}
    assert bool(found["js_prettier_fix"]) is prettier
    assert bool(found["md_mdformat_fix"]) is not prettier


# -- ESLint --------------------------------------------------------------------------------------
RULES = """\
export default [{ rules: { "no-unused-vars": "error", "no-var": "warn" } }];
"""


def test_eslint_finds(tree: ScratchTree) -> None:
    """Errors, warnings and what cannot be parsed have their codes, places and help pages."""
    tree.write(
        {"eslint.config.mjs": RULES, "a.js": "var a = 1;\n\nlet b = 2;\n", "bad.js": "x = {\n"}
    )
    result = tree.check("js_eslint", "a.js", "bad.js")
    told = {(f.code, f.line, f.column, f.severity, f.category) for f in result.issues}
    assert told == {
        ("no-var", 1, 1, Severity.WARNING, Category.STYLE),
        ("no-unused-vars", 1, 5, Severity.ERROR, Category.STYLE),
        ("no-unused-vars", 3, 5, Severity.ERROR, Category.STYLE),
        ("syntax", 2, 1, Severity.ERROR, Category.SYNTAX),
    }
    fixable = {f.code for f in result.issues if f.fixable}
    assert fixable == {"no-var"}
    assert "https://eslint.org/docs/latest/rules/no-var" in {f.url for f in result.issues}


def test_eslint_passes_clean_files(tree: ScratchTree) -> None:
    """A clean file, and one that its configuration does not match, are no findings."""
    tree.write(
        {"eslint.config.mjs": RULES, "ok.js": "export const a = 1;\n", "t.ts": "let a: number;\n"}
    )
    assert tree.found("js_eslint", "ok.js", "t.ts") == []


def test_eslint_without_a_configuration_is_unavailable(tree: ScratchTree) -> None:
    """It cannot work then, which is said with the way to mend it."""
    tree.write(
        {"a.js": "var a;\n", "node_modules/x/eslint.config.js": RULES, ".h/eslint.config.js": RULES}
    )
    found = tree.find("js_eslint")
    assert isinstance(found, Unavailable)
    assert "eslint.config" in found.reason
    assert found.hint


def test_each_file_has_its_own_eslint_configuration(tree: ScratchTree) -> None:
    """One file that none governs does not keep the others from being looked at."""
    tree.write(
        {
            "front/eslint.config.mjs": RULES,
            "front/deep/a.js": "var a = 1;\nexport { a };\n",
            "back/eslint.config.cjs": 'module.exports = [{ rules: { "no-debugger": 2 } }];\n',
            "back/b.js": "var b = 1;\ndebugger;\n",
            "loose.js": "var c = 1;\n",
        }
    )
    files = ("front/deep/a.js", "back/b.js", "loose.js")
    assert tree.found("js_eslint", *files) == [
        "back/b.js:2:1 error/style no-debugger",
        "front/deep/a.js:1:1 warning/style no-var",
    ]
    assert tree.found("js_eslint", "loose.js") == []


def test_a_broken_eslint_configuration_is_a_problem(tree: ScratchTree) -> None:
    """A rule that does not exist keeps ESLint from looking at anything."""
    tree.write(
        {"eslint.config.mjs": 'export default [{ rules: { "no-such": 2 } }];\n', "a.js": "1;\n"}
    )
    result = tree.check("js_eslint", "a.js")
    assert not result.success
    assert "eslint failed with exit code 2" in (result.problem or "")


# -- JSON ----------------------------------------------------------------------------------------
NO_JQ = shutil.which("jq") is None and os.environ.get(REQUIRE) != "1"
WITH_JQ = pytest.mark.skipif(NO_JQ, reason="jq is not installed")
EITHER = ["json_syntax", pytest.param("json_jq", marks=WITH_JQ)]
BROKEN_JSON = '{\n  "a": [1,\n  "b": 2\n}\n'


@pytest.mark.parametrize("plugin_id", EITHER)
def test_broken_json_is_found(tree: ScratchTree, plugin_id: str) -> None:
    """Each broken file is a syntax error at its line, whichever looks."""
    tree.write({"bad.json": BROKEN_JSON, "ok.json": '{"a": [1, 2]}\n', "half.json": '{"a": 1\n'})
    result = tree.check(plugin_id, "bad.json", "ok.json", "half.json")
    assert result.success
    assert [f.path for f in result.issues] == ["bad.json", "half.json"]
    assert result.issues[0].line == 3
    assert all(
        f.category is Category.SYNTAX and f.severity is Severity.ERROR for f in result.issues
    )


@pytest.mark.parametrize("plugin_id", EITHER)
def test_good_json_passes(tree: ScratchTree, plugin_id: str) -> None:
    """Documents of all kinds are no findings, under any name."""
    names = odd(tree, ".json", '[null, true, 1e400, "\\u00e9"]\n')
    assert tree.found(plugin_id, *names) == []


@WITH_JQ
def test_jq_that_cannot_open_a_file_has_a_problem(tree: ScratchTree) -> None:
    """A file that has vanished is not one that parses."""
    assert not tree.check("json_jq", "gone.json").success


# -- YAML ----------------------------------------------------------------------------------------
def test_yamllint_finds(tree: ScratchTree) -> None:
    """Its warnings, its errors and what is no YAML have their codes and places."""
    tree.write({"bad.yaml": "a:   1\nb: [1, 2\n", "warn.yml": "a: 1\n"})
    result = tree.check("yaml_yamllint", "bad.yaml", "warn.yml")
    told = [(f.path, f.line, f.column, f.code, f.severity) for f in result.issues]
    assert told == [
        ("bad.yaml", 1, 1, "document-start", Severity.WARNING),
        ("bad.yaml", 1, 5, "colons", Severity.ERROR),
        ("bad.yaml", 3, 1, "syntax", Severity.ERROR),
        ("warn.yml", 1, 1, "document-start", Severity.WARNING),
    ]
    assert result.issues[2].category is Category.SYNTAX


def test_yamllint_passes_clean_files(tree: ScratchTree) -> None:
    """A clean file is no finding; the configuration is that of the tree."""
    tree.write(
        {"ok.yaml": "---\na: 1\n", "b.yaml": "a: 1\n", ".yamllint": "rules: {colons: enable}\n"}
    )
    assert tree.found("yaml_yamllint", "ok.yaml", "b.yaml") == []


@pytest.mark.parametrize(
    "files", [{"a.yaml": b"a:  caf\xe9\n"}, {".yamllint": "rules: {no-such: {}}\n"}]
)
def test_yamllint_that_gives_up_has_a_problem(
    tree: ScratchTree, files: dict[str, str | bytes]
) -> None:
    """It dies of bytes that are no text, and of a configuration that it does not know."""
    tree.write({"a.yaml": "a: 1\n", "0.yaml": "a:  1\n", **files})
    assert not tree.check("yaml_yamllint", "0.yaml", "a.yaml").success


# -- Markdown ------------------------------------------------------------------------------------
UGLY_MD = "# A\n* one\n* two\n"


def test_mdformat_lists_and_rewrites(tree: ScratchTree) -> None:
    """What it would rewrite is a finding, and is clean once it has."""
    tree.write({"a.md": UGLY_MD, "ok.md": "# A\n\ntext\n"})
    assert tree.found("md_mdformat_fix", "a.md", "ok.md") == ["a.md warning/formatting format"]
    assert tree.fix("md_mdformat_fix", "a.md", "ok.md").success
    assert tree.text("a.md") == "# A\n\n- one\n- two\n"
    assert tree.found("md_mdformat_fix", "a.md", "ok.md") == []


def test_a_long_name_does_not_hide_from_mdformat(tree: ScratchTree) -> None:
    """It breaks its messages at 80 columns, within names as well."""
    name = f"{'long folder ' * 12}/a {'file' * 20} b.md"
    tree.write({name: UGLY_MD})
    assert tree.found("md_mdformat_fix", name) == [f"{name} warning/formatting format"]


@pytest.mark.parametrize("files", [{"b.md": b"caf\xe9\n"}, {".mdformat.toml": "no_such = 1\n"}])
def test_mdformat_that_gives_up_has_a_problem(
    tree: ScratchTree, files: dict[str, str | bytes]
) -> None:
    """It dies of bytes that are no text after it has told of other files; that is no result."""
    tree.write({"a.md": UGLY_MD, "b.md": "# B\n", **files})
    assert not tree.check("md_mdformat_fix", "a.md", "b.md").success


def test_markdownlint_finds(tree: ScratchTree) -> None:
    """Rules have their names, places and help pages."""
    tree.write({"a.md": "# A\n\n\n\ntext   \n", "b.md": "# B\n"})
    result = tree.check("md_markdownlint", "a.md", "b.md")
    assert [(f.code, f.line, f.column, f.end_column) for f in result.issues] == [
        ("MD012", 3, None, None),
        ("MD012", 4, None, None),
        ("MD009", 5, 5, 8),
    ]
    assert all(f.severity is Severity.WARNING and f.fixable for f in result.issues)
    assert all((f.url or "").endswith(".md") for f in result.issues)


def test_markdownlint_passes_clean_files(tree: ScratchTree) -> None:
    """It prints nothing then, also when it is to ignore them all."""
    tree.write({"ok.md": "# A\n\ntext\n", "gen.md": UGLY_MD, ".markdownlintignore": "gen.md\n"})
    assert tree.found("md_markdownlint", "ok.md", "gen.md") == []
    assert tree.found("md_markdownlint", "gen.md") == []


# -- shell ---------------------------------------------------------------------------------------
SCRIPT = "#!/bin/bash\nif [ $1 = 1 ]; then\n  cd foo\nfi\n"


def test_shellcheck_finds(tree: ScratchTree) -> None:
    """Codes, places, severities and the wiki's pages are those of ShellCheck."""
    tree.write({"a.sh": SCRIPT, "bad.sh": "#!/bin/sh\nif [ 1 ; then\n"})
    result = tree.check("shellcheck", "a.sh", "bad.sh")
    told = {(f.path, f.code, f.line, f.column, f.severity) for f in result.issues}
    assert {
        ("a.sh", "SC2086", 2, 6, Severity.INFO),
        ("a.sh", "SC2164", 3, 3, Severity.WARNING),
        ("bad.sh", "SC1073", 2, 4, Severity.ERROR),
        ("bad.sh", "SC1072", 2, 8, Severity.ERROR),
    } <= told
    syntax = {f.code for f in result.issues if f.category is Category.SYNTAX}
    assert syntax == {"SC1072", "SC1073"}
    assert "https://www.shellcheck.net/wiki/SC2164" in {f.url for f in result.issues}


def test_shellcheck_follows_what_is_sourced(tree: ScratchTree) -> None:
    """A change in one script changes what is found in another, so results stand on all of them."""
    script = '#!/bin/sh\n. ./lib.sh\necho "$named"\n'
    tree.write({"a.sh": script, "lib.sh": "named=1\n"})
    assert tree.found("shellcheck", "a.sh") == []
    tree.write({"lib.sh": "other=1\n"})
    assert "a.sh:3:7 warning/style SC2154" in tree.found("shellcheck", "a.sh")


def test_shellcheck_passes_clean_files(tree: ScratchTree) -> None:
    """A clean script is no finding; another shell is not held against anyone."""
    tree.write({"ok.sh": '#!/bin/sh\necho "$1"\n', "z.sh": "#!/bin/zsh\necho $1\n"})
    assert tree.found("shellcheck", "ok.sh") == []
    result = tree.check("shellcheck", "z.sh")
    assert {(f.code, f.severity) for f in result.issues} == {("SC1071", Severity.INFO)}


def test_shellcheck_that_cannot_open_a_file_has_a_problem(tree: ScratchTree) -> None:
    """The others of the batch were looked at, but one was not."""
    tree.write({"a.sh": SCRIPT})
    assert not tree.check("shellcheck", "a.sh", "gone.sh").success


# -- Kingfisher ----------------------------------------------------------------------------------
SECRET = "AKIA" + "QYLPMN5HHHFPZAM2"
PAIR = f'ID = "{SECRET}"\nAWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYz8kd93kQ7q"\n'  # penstock: allow-secret


def test_kingfisher_tells_where_and_never_what(tree: ScratchTree) -> None:
    """Each place of a secret is an error of security, and no part of the result holds the secret."""
    tree.write({"a.py": PAIR, "b/[x].py": f"\n{PAIR}", "ok.py": "x = 1\n"})
    result = tree.check("kingfisher", "a.py", "b/[x].py", "ok.py")
    assert result.success, result.problem
    assert [(f.path, f.line, f.column, f.category) for f in result.issues] == [
        ("a.py", 1, 7, Category.SECURITY),
        ("b/[x].py", 2, 7, Category.SECURITY),
    ]
    assert result.issues[0].code == "betterleaks.aws-access-token"
    assert SECRET not in repr(result)


def test_kingfisher_passes_clean_files(tree: ScratchTree) -> None:
    """A clean file is no finding; one that has vanished is a problem."""
    tree.write({"-ok.py": "x = 1\n"})
    assert tree.found("kingfisher", "-ok.py") == []
    assert not tree.check("kingfisher", "gone.py").success


# -- names ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("plugin_id", "ending", "text"),
    [
        ("js_prettier_fix", ".js", UGLY_JS),
        ("js_eslint", ".js", "var a = 1;\nexport { a };\n"),
        ("yaml_yamllint", ".yaml", "---\na:  1\n"),
        ("md_mdformat_fix", ".md", UGLY_MD),
        ("md_markdownlint", ".md", "# A\n\n\n\ntext\n"),
        ("shellcheck", ".sh", "#!/bin/sh\ncd foo\n"),
        pytest.param("json_jq", ".json", "{\n", marks=WITH_JQ),
    ],
)
def test_odd_names_are_names(tree: ScratchTree, plugin_id: str, ending: str, text: str) -> None:
    """Brackets, braces, blanks, dashes and hidden folders in names lose no file of a batch."""
    names = odd(tree, ending, text)
    tree.write({"eslint.config.mjs": RULES})
    found = {told.rsplit(ending, 1)[0] for told in tree.found(plugin_id, *names)}
    assert found == set(ODD_NAMES)
