"""The fingerprint of the user's checkout, and reading the index for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.worktrees.index import read_index
from penstock.worktrees.repository import GitRepository
from tests.support.repos import git, make_repo, opened, write

Action = Callable[[Path], object]


def same_size_and_time(root: Path) -> None:
    """Edit a file, keeping its size and modification time."""
    path = root / "src/a.py"
    times = path.stat()
    path.write_text("A = 9\n")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def ref(name: str) -> Action:
    """Make a ref."""
    return lambda root: git(root, "update-ref", name, "HEAD")


CASES: list[tuple[str, Action, tuple[str, ...]]] = [
    ("edit", lambda r: write(r, {"src/a.py": "A = 2\n"}), ("src/a.py",)),
    ("hidden edit", same_size_and_time, ("src/a.py",)),
    ("new", lambda r: write(r, {"b/c": ""}), ("b", "b/c")),
    ("gone", lambda r: write(r, {"README.md": None}), ("README.md",)),
    ("mode", lambda r: (r / "README.md").chmod(0o755), ("README.md",)),
    ("folder mode", lambda r: (r / "src").chmod(0o700), ("src",)),
    ("ignored", lambda r: write(r, {"x.log": "1"}), ("x.log",)),
    ("link", lambda r: (r / "link").symlink_to("src"), ("link",)),
    ("staged", lambda r: git(r, "rm", "--cached", "-q", "README.md"), (".git/index: README.md",)),
    ("flag", lambda r: git(r, "update-index", "--skip-worktree", "src/a.py"), (".git/index: src/a.py",)),
    ("branch", ref("refs/heads/mine"), ("refs/heads/mine",)),
    ("tag", ref("refs/tags/v1"), ("refs/tags/v1",)),
    ("head", lambda r: git(r, "checkout", "-q", "--detach"), (".git/HEAD",)),
    ("config", lambda r: git(r, "config", "x.y", "z"), (".git/config",)),
    ("hook", lambda r: write(r, {".git/hooks/pre-push": "x"}), (".git/hooks/pre-push",)),
    ("exclude", lambda r: write(r, {".git/info/exclude": "*"}), (".git/info/exclude",)),
    ("name", lambda r: write(r, {"new\nline": ""}), ("new\nline",)),
]  # fmt: skip


@pytest.mark.parametrize(("action", "seen"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_seen(
    repo: GitRepository, root: Path, action: Action, seen: tuple[str, ...]
) -> None:
    """Every way to touch the checkout is named, and there and back is the same list."""
    before = repo.fingerprint()
    action(root)
    after = repo.fingerprint()
    assert before.differences(after) == seen
    assert after.differences(before) == seen


QUIET: list[tuple[str, Action]] = [
    ("nothing", lambda _: None),
    ("refresh", lambda r: git(r, "status")),
    ("pack", lambda r: git(r, "pack-refs", "--all")),
    ("gc", lambda r: git(r, "gc", "-q")),
    ("our branch", ref("refs/heads/workstream/a/r")),
    ("our merge", ref("refs/heads/integration/r")),
    ("our files", lambda r: write(r, {"state/x": "", "logs/y": "", ".state/z": "", ".worktrees/.pool/w": ""})),
    ("our audit", lambda r: write(r, {".AIM_ai-tools-registry/AIM_audit/x": "1"})),
]  # fmt: skip


@pytest.mark.parametrize("action", [c[1] for c in QUIET], ids=[c[0] for c in QUIET])
def test_what_does_not_trip_it(repo: GitRepository, root: Path, action: Action) -> None:
    """Our own files and branches, a refreshed index and packed refs are no difference."""
    write(root, {".AIM_ai-tools-registry/AIM_audit/a": "1"})
    os.utime(root / "src/a.py", (1, 1))  # so that `status` has something to refresh
    before = repo.fingerprint()
    action(root)
    assert before.differences(repo.fingerprint()) == ()


def test_a_whole_workstream_does_not_trip_it(repo: GitRepository) -> None:
    """What penstock itself does in a run is no difference."""
    before = repo.fingerprint()
    repo.ensure_branch("integration/r", repo.head())
    tree = repo.lease("a", "r", "workstream/a/r", repo.head())
    write(tree.path, {"b": "1"})
    tree.changes()
    tree.commit("x", {})
    repo.merge(tree.branch, "integration/r", message="m", trailers={})
    repo.release(tree)
    assert before.differences(repo.fingerprint()) == ()


def test_other_workstreams_do_not_trip_it(repo: GitRepository) -> None:
    """Worktrees that other threads lay, give back and throw away meanwhile are no difference."""

    def come_and_go(name: str) -> None:
        for number in range(12):
            tree = repo.lease(name, "r", f"workstream/{name}/r", repo.head())
            if number % 2:
                again = repo.reopen(tree.path, tree.branch, tree.base, tree.head)
                tree = again or tree  # one that was reopened goes to the trash
            repo.release(tree)

    before = repo.fingerprint()
    with ThreadPoolExecutor() as pool:
        others = [pool.submit(come_and_go, name) for name in ("x", "y")]
        while not all(other.done() for other in others):
            assert before.differences(repo.fingerprint()) == ()
        assert [other.result() for other in others] == [None, None]


def test_own_paths_can_be_others(root: Path) -> None:
    """Which folders are ours is said when the repository is opened."""
    from penstock.model.settings import WorktreeSettings
    from penstock.worktrees.repository import open_repository

    repo = open_repository(root, WorktreeSettings(), own_paths=("mine",))
    before = repo.fingerprint()
    write(root, {"mine/x": "", "state/y": ""})
    assert before.differences(repo.fingerprint()) == ("state", "state/y")


@pytest.mark.parametrize("version", [2, 3, 4])
def test_index_versions(tmp_path: Path, version: int) -> None:
    """All three index formats give the same entries."""
    names = {f"{'d' * n}/file{n}": str(n) for n in range(1, 30)} | {"x" * 200: "", "é": "1"}
    root = make_repo(tmp_path / "r", names)
    git(root, "update-index", f"--index-version={version}")
    git(root, "update-index", "--skip-worktree", "d/file1") if version == 3 else None
    entries = read_index((root / ".git/index").read_bytes())
    listed = [
        line.split()
        for line in git(root, "-c", "core.quotePath=false", "ls-files", "-s").splitlines()
    ]
    assert {(e[0], e[1].hex(), p) for p, e in entries.items() if not isinstance(e, str)} == {
        (int(mode, 8), oid, path) for mode, oid, _, path in listed
    }


def test_conflicted_entries_have_their_stage(root: Path) -> None:
    """The sides of a conflict are told apart."""
    oid = git(root, "rev-parse", "HEAD:README.md")
    lines = "".join(f"100644 {oid} {stage}\tc\n" for stage in (1, 2, 3))
    git(root, "update-index", "--index-info", stdin=lines)
    names = read_index((root / ".git/index").read_bytes())
    assert {"c (stage 1)", "c (stage 2)", "c (stage 3)"} < set(names)


def test_an_index_of_sha256(tmp_path: Path) -> None:
    """Longer object ids are read as well."""
    git(tmp_path, "init", "--quiet", "--object-format=sha256")
    write(tmp_path, {"a": "1", "b/c": "2"})
    git(tmp_path, "add", ".")
    assert set(read_index((tmp_path / ".git/index").read_bytes())) == {"a", "b/c"}


@pytest.mark.parametrize(
    "data", [b"", b"rubbish", b"DIRC\0\0\0\2\0\0\0\1", b"DIRC\0\0\0\x09\0\0\0\0" + b"x" * 40]
)
def test_rubbish_is_compared_as_a_whole(data: bytes) -> None:
    """What is no index has its hash for an entry; no index has none."""
    assert set(read_index(data)) == ({"(whole)"} if data else set())


def test_a_missing_index_is_a_difference(repo: GitRepository, root: Path) -> None:
    """Deleting the index shows as all of its entries gone."""
    before = repo.fingerprint()
    (root / ".git/index").unlink()
    assert ".git/index: README.md" in before.differences(repo.fingerprint())


def test_a_folder_that_cannot_be_read_is_no_error(repo: GitRepository, root: Path) -> None:
    """Folders that vanish or are closed to us during the walk are passed over."""
    (root / "closed").mkdir(mode=0)
    before = repo.fingerprint()
    assert before.differences(repo.fingerprint()) == ()
    assert opened(root).fingerprint().differences(before) == ()
