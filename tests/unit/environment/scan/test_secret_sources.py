"""Where secrets are looked for: a tree, what is staged, the history, logs and the trail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.environment.scan.secretscan import Places, Scan, SecretScan
from penstock.errors import UsageError
from penstock.leaks.found import Source
from penstock.worktrees.git import find_git
from tests.support.planting import (
    commit,
    line_with,
    places_of,
    scan_of,
    scanned,
    token,
    told_of,
)
from tests.support.repos import FILES, git, make_repo, write

STAGED, HISTORY = Source.STAGED, Source.HISTORY


@pytest.fixture(autouse=True)
def _home_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the key of fingerprints out of the home of whoever runs the tests."""
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "aim"))
    monkeypatch.delenv("AIM_FINGERPRINT_KEY", raising=False)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository without secrets."""
    return make_repo(tmp_path / "repo")


# -- the tree ----------------------------------------------------------------------------------
def test_a_tree_is_its_tracked_and_untracked_files(repo: Path) -> None:
    """What git tracks or would add is looked through; what it ignores is not."""
    commit(repo, "a key", {"src/key.py": "A = 1\n" + line_with(token(1))})
    write(repo, {"new.py": line_with(token(2)), ".env": line_with(token(3))})
    report = scanned(repo)
    assert places_of(report) == [("new.py", 1), ("src/key.py", 2)]
    assert told_of(report, [token(1), token(2), token(3)]) == []


def test_the_working_file_counts_and_not_what_git_has(repo: Path) -> None:
    """A secret that was taken out of the file is not in the tree any more."""
    commit(repo, "a key", {"key.py": line_with(token())})
    write(repo, {"key.py": "A = 1\n"})
    assert scanned(repo).ok


def test_a_file_that_is_named_counts_whatever_git_ignores(repo: Path) -> None:
    """Whoever names a file wants it looked at."""
    write(repo, {".env": line_with(token())})
    assert places_of(scanned(repo, paths=(".env",))) == [(".env", 1)]


def test_paths_narrow_a_tree_down(repo: Path) -> None:
    """Only files below the folders that are named are looked through, with wild characters in names
    meaning themselves."""
    write(repo, {"a/k.py": line_with(token(1)), "b*/k.py": line_with(token(2)), "bb/k.py": "A=1"})
    report = scanned(repo, paths=("b*",))
    assert places_of(report) == [("b*/k.py", 1)]
    assert report.files == 1


def test_a_folder_outside_of_git_is_walked(tmp_path: Path) -> None:
    """Without git every file below counts but those that installers put there."""
    files = {"k.py": token(1), "node_modules/k.js": token(2), "venv/lib/k.py": token(3)}
    write(tmp_path / "plain", {n: line_with(t) for n, t in files.items()})
    write(tmp_path / "plain", {"venv/pyvenv.cfg": ""})
    assert places_of(scanned(tmp_path / "plain")) == [("k.py", 1)]


def test_any_name_is_taken(repo: Path) -> None:
    """Names with line ends, quotes, and bytes that are no text are read from files and from git."""
    names = ["a\nb.py", 'q"u\\.py', os.fsdecode(b"\xff.py"), ":(top)x.py", "-rf"]
    for name in names:
        (repo / name).write_text(line_with(token()))
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message=odd")
    for source in (Source.TREE, HISTORY):
        assert sorted(path for path, _ in places_of(scanned(repo, source))) == sorted(names)
    assert len(scanned(repo, paths=(":(top)x.py", "-rf")).findings) == 2


def test_links_pipes_and_binaries_are_no_texts(repo: Path) -> None:
    """Nothing waits for a pipe, follows a link out of the tree, or reads what is no text."""
    outside = repo.parent / "outside.py"
    outside.write_text(line_with(token()))
    (repo / "link.py").symlink_to(outside)
    os.mkfifo(repo / "pipe.py")
    write(repo, {"image.png": b"\x89PNG\0" + line_with(token()).encode()})
    assert scanned(repo).findings == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_wide_texts_are_read(repo: Path, encoding: str) -> None:
    """UTF-16 and UTF-32 with a mark at their beginning are text."""
    mark = "\ufeff" if encoding.endswith("e") else ""
    write(repo, {"wide.ps1": f"{mark}a\n{line_with(token())}".encode(encoding)})
    assert places_of(scanned(repo)) == [("wide.ps1", 2)]


def test_a_large_wide_text_is_read_whole(repo: Path) -> None:
    """Two bytes a character are not cut in parts, which could fall between them."""
    text = "nothing to be seen here\n" * 200_000 + line_with(token())
    write(repo, {"wide.sql": text.encode("utf-16")})
    assert places_of(scanned(repo)) == [("wide.sql", 200_001)]


def test_a_file_that_grows_is_read_as_far_as_it_is(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A size that is not right any more, as of a log that is written, loses nothing."""
    write(repo, {"app.log.txt": "a line\n" * 1000 + line_with(token())})
    real = os.fstat

    def smaller(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        return os.stat_result((*found[:6], min(found.st_size, 100), *found[7:10]))

    monkeypatch.setattr(os, "fstat", smaller)
    assert places_of(scanned(repo)) == [("app.log.txt", 1001)]


def test_a_file_that_is_gone_is_passed_over(repo: Path) -> None:
    """What git tracks and nobody has any more is no error."""
    (repo / "src" / "a.py").unlink()
    assert scanned(repo).skipped == ()


def test_what_cannot_be_read_is_told(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be opened is in the report, and the others are looked through."""
    write(repo, {"closed.py": "A = 1\n", "key.py": line_with(token())})
    real = os.open

    def refuse(path: str, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith("closed.py"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)
    report = scanned(repo)
    assert [(s.path, s.why) for s in report.skipped] == [("closed.py", "Permission denied")]
    assert places_of(report) == [("key.py", 1)]


def test_a_large_file_is_read_in_parts(repo: Path) -> None:
    """Secrets on both sides of a cut and across it are found once, on their own lines."""
    filler = "x = 'nothing to be seen here, go on'\n" * 250_000
    lines = filler.count("\n")
    text = filler[:9_000_000] + "\n" + line_with(token(1)) + filler + line_with(token(2))
    write(repo, {"big.py": text})
    report = scanned(repo)
    cut = text[: text.index("ghp_")].count("\n") + 1
    assert places_of(report) == [("big.py", cut), ("big.py", cut + lines + 1)]
    assert report.files == 1 + len(FILES)


@pytest.mark.parametrize("before", [8 << 20, (8 << 20) - 40, (8 << 20) - (1 << 16)])
def test_a_secret_at_a_cut_is_found_once(repo: Path, before: int) -> None:
    """Wherever a part of an endless line ends, a secret there is found, and only once."""
    write(repo, {"line.js": "a" * (before - 30) + ' = "' + token() + '"' + " b" * 100_000})
    assert len(scanned(repo).findings) == 1


# -- staged --------------------------------------------------------------------------------------
def test_staged_is_what_the_index_has(repo: Path) -> None:
    """What was staged counts and not what the file holds by now, before the first commit too."""
    write(repo, {"key.py": line_with(token(1)), "other.py": line_with(token(2))})
    git(repo, "add", "key.py")
    write(repo, {"key.py": "A = 1\n"})
    assert places_of(scanned(repo, STAGED)) == [("key.py", 1)]
    bare = repo.parent / "unborn"
    bare.mkdir()
    git(bare, "init", "--quiet")
    write(bare, {"key.py": line_with(token(1))})
    git(bare, "add", "key.py")
    assert places_of(scanned(bare, STAGED)) == [("key.py", 1)]


def test_only_what_staging_adds_counts(repo: Path) -> None:
    """A secret that the last commit had in the file already is not news; another one is."""
    commit(repo, "old", {"key.py": line_with(token(1))})
    write(repo, {"key.py": "# moved\n" + line_with(token(1)) + line_with(token(2), "B")})
    git(repo, "add", "key.py")
    assert places_of(scanned(repo, STAGED)) == [("key.py", 3)]


def test_a_renamed_file_brings_nothing_new(repo: Path) -> None:
    """A file that only gets another name has no new secrets."""
    commit(repo, "old", {"key.py": line_with(token()) + "A = 1\n" * 20})
    git(repo, "mv", "key.py", "moved.py")
    assert scanned(repo, STAGED).ok


def test_attributes_hide_nothing(repo: Path) -> None:
    """A file that is marked as binary, or as one without a diff, is looked through all the same."""
    write(repo, {".gitattributes": "* -diff binary\n", "key.py": line_with(token())})
    git(repo, "add", "--all")
    assert places_of(scanned(repo, STAGED)) == [("key.py", 1)]
    commit(repo, "hidden", {})
    assert places_of(scanned(repo, HISTORY)) == [("key.py", 1)]


# -- the history -----------------------------------------------------------------------------
def test_the_history_keeps_what_was_taken_out(repo: Path) -> None:
    """A secret is told with the commit that brought it, once, however many versions have it."""
    first = commit(repo, "a key", {"key.py": line_with(token())})
    commit(repo, "more", {"key.py": line_with(token()) + "A = 1\n"})
    commit(repo, "gone", {"key.py": "A = 1\n"})
    (found,) = scanned(repo, HISTORY).findings
    assert (found.path, found.commit, found.times) == ("key.py", first, 2)


def test_all_branches_tags_and_stashes_are_history(repo: Path) -> None:
    """What no branch holds any more is found as long as a ref leads to it."""
    git(repo, "checkout", "--quiet", "-b", "side")
    commit(repo, "side", {"side.py": line_with(token(1))})
    git(repo, "checkout", "--quiet", "--detach")
    commit(repo, "tagged", {"tag.py": line_with(token(2))})
    git(repo, "tag", "keep")
    git(repo, "checkout", "--quiet", "main")
    write(repo, {"src/a.py": line_with(token(3))})
    git(repo, "stash", "--quiet")
    found = {path for path, _ in places_of(scanned(repo, HISTORY))}
    assert found == {"side.py", "tag.py", "src/a.py"}


def test_what_only_a_merge_brings_is_found(repo: Path) -> None:
    """A secret that neither side has but their merge is told of the merge."""
    git(repo, "checkout", "--quiet", "-b", "side")
    commit(repo, "side", {"s.py": "S = 1\n"})
    git(repo, "checkout", "--quiet", "main")
    commit(repo, "main", {"m.py": "M = 1\n"})
    git(repo, "merge", "--quiet", "--no-commit", "side")
    merge = commit(repo, "merge", {"s.py": line_with(token())})
    (found,) = scanned(repo, HISTORY).findings
    assert (found.path, found.commit) == ("s.py", merge)


def test_a_range_tells_what_its_commits_add(repo: Path) -> None:
    """What was there before the range is not news, even in a file that it changes."""
    base = commit(repo, "old", {"key.py": line_with(token(1))})
    new = commit(repo, "new", {"key.py": line_with(token(1)) + line_with(token(2), "B")})
    report = scanned(repo, HISTORY, revisions=(f"{base}..{new}",))
    assert [(f.line, f.commit) for f in report.findings] == [(2, new)]


@pytest.mark.parametrize("revision", ["nowhere", "--output=stolen", "main..nowhere"])
def test_a_range_that_names_nothing_is_a_mistake(repo: Path, revision: str) -> None:
    """What is no revision is refused, and never taken for an option of git."""
    with pytest.raises(UsageError, match="names no commits"):
        scanned(repo, HISTORY, revisions=(revision,))
    assert not (repo / "stolen").exists()


def test_an_empty_history_holds_nothing(tmp_path: Path) -> None:
    """Before the first commit there is nothing to find, and nothing fails."""
    git_folder = tmp_path / "unborn"
    git_folder.mkdir()
    git(git_folder, "init", "--quiet")
    assert scanned(git_folder, HISTORY).files == 0


def test_a_history_is_narrowed_down_by_paths(repo: Path) -> None:
    """Only what was ever below the paths is looked through, staged changes likewise."""
    commit(repo, "two", {"a/k.py": line_with(token(1)), "b/k.py": line_with(token(2))})
    assert places_of(scanned(repo, HISTORY, paths=("a",))) == [("a/k.py", 1)]
    write(repo, {"a/n.py": line_with(token(3)), "b/n.py": line_with(token(4))})
    git(repo, "add", "--all")
    assert places_of(scanned(repo, STAGED, paths=("b",))) == [("b/n.py", 1)]


def test_what_is_too_large_is_told(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object beyond the limit is in the report as not looked at."""
    monkeypatch.setattr("penstock.environment.scan.gitblobs.OBJECT_LIMIT", 1000)
    commit(repo, "large", {"large.py": "A = 1\n" * 1000})
    (skipped,) = scanned(repo, HISTORY).skipped
    assert skipped.path == "large.py"


def test_many_objects_are_read_in_batches(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However they are cut, each object is read once, in order."""
    monkeypatch.setattr("penstock.environment.scan.gitblobs.BATCH_BYTES", 100)
    monkeypatch.setattr("penstock.environment.scan.gitblobs.COMMITS_AT_ONCE", 2)
    for number in range(5):
        commit(repo, f"{number}", {f"f{number}.py": line_with(token(number))})
    assert places_of(scanned(repo, HISTORY)) == [(f"f{n}.py", 1) for n in range(5)]


def test_progress_is_told(repo: Path) -> None:
    """Who listens hears of each text, how many there are, and never of more than that."""
    heard: list[tuple[str, int, int]] = []
    places = Places(top=repo, git=find_git(repo))
    request = SecretScan(sources=(Source.TREE, HISTORY))
    report = Scan(request, places, lambda *told: heard.append(told)).report()
    assert len(heard) == report.files
    assert all(done <= total for _, done, total in heard)
    assert heard[-1][:2] == ("history", len(FILES))


def test_submodules_are_left_to_their_own(repo: Path) -> None:
    """A submodule is another repository: its entry is no text, and no error."""
    inner = make_repo(repo / "inner", {"key.py": line_with(token())})
    git(repo, "add", str(inner))
    git(repo, "commit", "--quiet", "--message=submodule")
    assert scanned(repo, Source.TREE, HISTORY).findings == ()


def test_what_a_clone_lacks_is_told(repo: Path) -> None:
    """An object that is not there is in the report as not looked at."""
    commit(repo, "a key", {"key.py": line_with(token())})
    oid = git(repo, "rev-parse", "HEAD:key.py")
    (repo / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    (skipped,) = scanned(repo, HISTORY).skipped
    assert (skipped.path, skipped.why) == ("key.py", "is not in this clone")


# -- logs and the trail ----------------------------------------------------------------------
def test_logs_are_looked_through_with_all_they_hold(repo: Path) -> None:
    """Logs, prompts and databases count, ignored and binary ones too; tools' own logins do not."""
    write(
        repo,
        {
            "logs/run/edit_1.log": "one\n" + line_with(token(1)),
            "state/pipeline.db": b"SQLite\0\0" + line_with(token(2)).encode(),
            "state/homes/run/login.json": line_with(token(3)),
        },
    )
    found = {path for path, _ in places_of(scanned(repo, Source.LOGS))}
    assert found == {"logs/run/edit_1.log", "state/pipeline.db"}


def test_the_trail_is_looked_through(repo: Path) -> None:
    """The audit trail is a source of its own."""
    write(repo, {"audit/2026-01-31/audit.jsonl": '{"a": "' + token() + '"}\n'})
    assert len(scanned(repo, Source.AUDIT).findings) == 1


@pytest.mark.parametrize("source", [STAGED, HISTORY])
def test_git_sources_need_a_repository(tmp_path: Path, source: Source) -> None:
    """Outside of a repository these are refused with what can be done instead."""
    with pytest.raises(UsageError, match="needs a git repository"):
        scan_of(tmp_path, source).report()


def test_a_large_tree_is_looked_through_by_several(repo: Path) -> None:
    """Many texts are shared among threads, and the findings come in the order of their places."""
    filler = "nothing to be seen here\n" * 20_000
    write(repo, {f"f{n:02}.py": filler + line_with(token(n)) for n in range(30)})
    assert places_of(scanned(repo)) == [(f"f{n:02}.py", 20_001) for n in range(30)]
