"""What a key is made of, and what changes it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from penstock.checks.inspection.keys import (
    KEY_BYTES,
    KeyParts,
    Ledger,
    because,
    key_of,
    pack,
    unpack,
)
from penstock.checks.plugins.port import ToolFacts
from tests.support.ledgers import TOOL, files_in, parts_now, place_of, plugin, project_now, write
from tests.support.ledgers import project_plugin as project

PARTS = KeyParts("plugin", "tool", "arguments", "config", "packages", "path", "content", "closure")
FIELDS = msgspec.structs.fields(KeyParts)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project."""
    write(
        tmp_path,
        {
            "pkg/__init__.py": "",
            "pkg/a.py": "A = 1\n",
            "pkg/b.py": "from pkg.a import A\n",
            "README.md": "hello\n",
        },
    )
    return tmp_path


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.encode_name)
def test_every_part_counts_in_the_key(field: msgspec.structs.FieldInfo) -> None:
    """A change of any one part gives another key."""
    other = msgspec.structs.replace(PARTS, **{field.name: "changed"})
    assert key_of(other) != key_of(PARTS)
    assert len(key_of(PARTS)) == KEY_BYTES


def test_parts_do_not_run_into_each_other() -> None:
    """Moving a letter from one part to the next gives another key."""
    shifted = msgspec.structs.replace(PARTS, plugin="plugi", tool="ntool")
    assert key_of(shifted) != key_of(PARTS)


def test_parts_survive_being_kept() -> None:
    """Unpacked parts equal the packed ones; other bytes are no parts."""
    assert unpack(pack(PARTS)) == PARTS
    assert unpack(b"rubbish") is None
    assert unpack(b"") is None


def test_names_that_are_no_utf8_have_keys_and_parts() -> None:
    """Parts with such a name can be kept, and two such names have two keys."""
    one, two = (msgspec.structs.replace(PARTS, path=f"a{odd}.py") for odd in ("\udce9", "\udce8"))
    assert key_of(one) != key_of(two)
    assert pack(one) != pack(two)
    assert unpack(pack(one)) is not None


def test_the_quick_way_makes_the_same_keys(tree: Path) -> None:
    """Keys made at once for many files equal those made of their parts."""
    ledger = Ledger(place_of(tree), listing=files_in(tree))
    files = [*files_in(tree), "pkg/gone.py"]
    which = plugin(config_files=("lint.toml",))
    for tool in (TOOL, None):
        slow = [key_of(ledger.parts(which, tool, path)) for path in files]
        assert ledger.keys(which, tool, files) == slow


def test_reasons_name_what_changed() -> None:
    """The reason lists every changed part in words."""
    new = msgspec.structs.replace(PARTS, content="x", config="y")
    assert because(PARTS, new) == "configuration, content changed"
    assert because(None, new) == "not checked before"
    assert because(new, new) == "its result was not kept"


def test_nothing_changed_gives_the_same_parts(tree: Path) -> None:
    """Two inspections of the same files make the same keys."""
    assert parts_now(tree, plugin()) == parts_now(tree, plugin())
    assert project_now(tree, project(), "pkg/a.py") == project_now(tree, project(), "pkg/a.py")


def test_a_file_of_its_own_content_counts_alone(tree: Path) -> None:
    """For a plugin of reach file, another file's content changes nothing."""
    before = parts_now(tree, plugin())
    write(tree, {"pkg/b.py": "B = 2\n"})
    assert parts_now(tree, plugin()) == before
    write(tree, {"pkg/a.py": "A = 2\n"})
    assert because(before, parts_now(tree, plugin())) == "content changed"


def test_the_tool_its_arguments_and_the_plugin_count(tree: Path) -> None:
    """Another version or identity of the tool, other arguments, another plugin: another key."""
    ledger = Ledger(place_of(tree), listing=files_in(tree))
    base = ledger.parts(plugin(), TOOL, "pkg/a.py")
    newer = ToolFacts(executable=TOOL.executable, version="1.1", identity="two")
    assert because(base, ledger.parts(plugin(), newer, "pkg/a.py")) == "tool changed"
    changed = Ledger(place_of(tree)).parts(plugin(arguments=("{files}",)), TOOL, "pkg/a.py")
    assert because(base, changed) == "arguments changed"
    other = Ledger(place_of(tree)).parts(plugin(version="2"), TOOL, "pkg/a.py")
    assert "plugin" in because(base, other)
    without = Ledger(place_of(tree)).parts(plugin(), None, "pkg/a.py")
    assert because(base, without) == "tool changed"


def test_two_plugins_share_no_keys(tree: Path) -> None:
    """The same tool under two plugins has two keys."""
    one, two = parts_now(tree, plugin("one")), parts_now(tree, plugin("two"))
    assert key_of(one) != key_of(two)


def test_a_caller_elsewhere_counts_for_reach_project(tree: Path) -> None:
    """For a plugin of reach project any file of its kinds changes the key, others do not."""
    before = project_now(tree, project(), "pkg/b.py")
    write(tree, {"README.md": "other\n"})
    assert project_now(tree, project(), "pkg/b.py") == before
    write(tree, {"pkg/a.py": "A = ''\n"})
    after = project_now(tree, project(), "pkg/b.py")
    assert because(before, after) == "other files of the project changed"


@pytest.mark.parametrize("change", ["make", "remove", "rename"])
def test_the_set_of_project_files_counts(tree: Path, change: str) -> None:
    """A file that is made, removed or renamed changes the key of a plugin of reach project."""
    before = project_now(tree, project(), "pkg/b.py")
    if change == "make":
        write(tree, {"pkg/c.pyi": "C: int\n"})
    elif change == "remove":
        (tree / "pkg/a.py").unlink()
    else:
        (tree / "pkg/a.py").rename(tree / "pkg/d.py")
    assert project_now(tree, project(), "pkg/b.py").closure != before.closure


def test_the_files_asked_about_count_as_a_set(tree: Path) -> None:
    """The order of files does not count for a plugin of reach project, their number does."""
    both = project_now(tree, project(), "pkg/a.py", "pkg/b.py")
    assert project_now(tree, project(), "pkg/b.py", "pkg/a.py") == both
    assert because(both, project_now(tree, project(), "pkg/a.py")).startswith("set of files")


def test_the_right_to_be_executed_counts(tree: Path) -> None:
    """A file that becomes executable has another digest, as linters look at that."""
    before = parts_now(tree, plugin())
    (tree / "pkg/a.py").chmod(0o755)
    assert because(before, parts_now(tree, plugin())) == "content changed"


def test_what_cannot_be_read_has_no_digest(tree: Path) -> None:
    """A missing file and a folder have no content, and parts all the same."""
    ledger = Ledger(place_of(tree), listing=())
    assert ledger.content("pkg/gone.py") is None
    assert ledger.content("pkg") is None
    assert ledger.parts(plugin(), TOOL, "pkg/gone.py").content == "unreadable"


def test_the_project_is_listed_when_nobody_has(tree: Path) -> None:
    """Without a listing the ledger lists the files itself, with the same result."""
    alone = Ledger(place_of(tree)).project_parts(project(), TOOL, ("pkg/b.py",))
    assert alone == project_now(tree, project(), "pkg/b.py")
