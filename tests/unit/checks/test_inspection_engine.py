"""The error engine over a checker that does as it is told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from penstock.checks.api import InspectionRequest
from penstock.errors import UsageError
from penstock.model.inspection import NO_CHECKER, NOT_CHECKED, PLUGIN_FAILED, TOOL_MISSING
from penstock.model.inspection import FileStatus as Status
from penstock.model.inspection import PluginState as State
from penstock.process.api import Stop
from tests.support.inspecting import LINE, CheckedTree, of, use

VERSION = '#!/bin/sh\n[ "$1" = --version ] && echo 1.0 && exit\n'


@pytest.fixture
def tree(tmp_path: Path) -> CheckedTree:
    """A tree with a clean file and a bad one."""
    made = CheckedTree(tmp_path)
    made.write(good="fine\n", bad="first\nBAD thing\n")
    return made


def test_what_a_tool_finds_fails_its_file(tree: CheckedTree) -> None:
    """A finding fails the file that it is in, with its line and a fingerprint, and no other."""
    report = tree.check()
    found = of(report, "bad.txt").findings[0]
    assert (found.path, found.line, found.message) == ("bad.txt", 2, "BAD thing")
    assert found.fingerprint
    assert (of(report, "good.txt").status, of(report, "bad.txt").status) == (
        Status.PASSED,
        Status.FAILED,
    )
    assert not report.passed


def test_one_process_looks_at_all_files(tree: CheckedTree) -> None:
    """A tool is started once for a handful of files."""
    tree.check()
    assert tree.runs() == ["bad.txt good.txt"]


def test_a_failed_file_fails_again_from_the_cache(tree: CheckedTree) -> None:
    """Unchanged files start no process, and the failed one is failed again with the same findings."""
    first = tree.check()
    tree.runs()
    second = tree.check()
    assert tree.runs() == []
    assert of(second, "bad.txt").findings == of(first, "bad.txt").findings
    assert use(second).state is State.CACHED
    assert of(second, "bad.txt").cached
    assert not second.passed


def test_only_what_changed_is_looked_at_again(tree: CheckedTree) -> None:
    """After an edit the tool gets that file alone."""
    tree.check()
    tree.runs()
    tree.write(good="fine\nBAD now\n")
    report = tree.check()
    assert tree.runs() == ["good.txt"]
    assert of(report, "good.txt").status is Status.FAILED
    assert (use(report).files, use(report).cached) == (2, 1)


@pytest.mark.parametrize("change", ["tool", "manifest", "configuration"])
def test_all_is_looked_at_again_when_what_judges_it_changes(tree: CheckedTree, change: str) -> None:
    """Another tool, other arguments or a configuration file that appears make every result void."""
    tree.declare(depends={"config_files": ["scan.ini"]})
    tree.check()
    tree.runs()
    if change == "tool":
        path = tree.tree / ".venv/bin/scan"
        path.write_text(path.read_text() + "# another one\n")
    elif change == "manifest":
        tree.declare(depends={"config_files": ["scan.ini"]}, tool={"arguments": ["--"]})
    else:
        (tree.tree / "scan.ini").write_text("strict\n")
    tree.check()
    assert len(tree.runs()) == 1


def test_a_crash_is_an_error_and_the_other_files_are_checked(tree: CheckedTree) -> None:
    """A tool that dies of one file fails that file alone, and says so; nothing of it is kept."""
    tree.write(worst="CRASH\n", a="fine\n", b="BAD\n")
    report = tree.check()
    assert of(report, "worst.txt").findings[0].code == PLUGIN_FAILED
    assert of(report, "a.txt").status is Status.PASSED
    assert of(report, "b.txt").findings[0].message == "BAD"
    assert use(report).state is State.FAILED
    assert report.infra
    tree.runs()
    assert not tree.check().passed
    assert "worst.txt" in tree.runs()


def test_a_tool_that_fails_on_everything_is_given_up(tree: CheckedTree) -> None:
    """When every run fails the search for the file at fault ends, and all files have failed."""
    tree.tool("scan", VERSION + "echo $@ >> {log}\nexit 3\n")
    tree.write(**{f"f{number}": "x\n" for number in range(60)})
    report = tree.check()
    assert all(result.findings[0].code == PLUGIN_FAILED for result in report.files)
    assert len(tree.runs()) < 100


def test_exit_1_without_a_finding_is_no_pass(tree: CheckedTree) -> None:
    """A tool that says it found something and shows nothing has failed."""
    tree.write(good="LIE\n")
    assert of(tree.check(), "good.txt").findings[0].code == PLUGIN_FAILED


def test_a_tool_that_hangs_is_ended_and_not_tried_in_halves(tree: CheckedTree) -> None:
    """A run beyond its time limit fails its files at once."""
    tree.declare(tool={"timeout_s": 0.5})
    tree.write(good="HANG\n")
    report = tree.check()
    assert of(report, "good.txt").findings[0].code == PLUGIN_FAILED
    assert len(tree.runs()) == 1


def test_a_missing_tool_is_told_and_fails_nothing(tree: CheckedTree) -> None:
    """A plugin without its tool is unavailable with a hint, and its files have no checker."""
    tree.declare(tool={"command": "no-such-tool", "install": "apt install it"})
    report = tree.check()
    assert use(report).state is State.UNAVAILABLE
    assert use(report).hint == "apt install it"
    assert {result.findings[0].code for result in report.files} == {NO_CHECKER}
    assert report.passed


def test_a_missing_tool_that_is_required_fails_its_files(tree: CheckedTree) -> None:
    """With `require` a missing tool is an error on each file that it should have checked."""
    tree.declare(tool={"command": "no-such-tool"})
    report = tree.check(require=True)
    assert {result.findings[0].code for result in report.files} == {TOOL_MISSING}
    assert not report.passed


def test_a_file_that_is_gone_is_told(tree: CheckedTree) -> None:
    """A file that is not there any more fails with a clear line, and no tool gets it."""
    report = tree.check("bad.txt", "gone.txt")
    assert of(report, "gone.txt").findings[0].code == NOT_CHECKED
    assert tree.runs() == ["bad.txt"]


def test_a_result_is_not_kept_when_the_file_changed_meanwhile(tree: CheckedTree) -> None:
    """What a tool found in a file that was rewritten under its hands is told and not kept."""
    tree.tool("scan", VERSION + "echo $@ >> {log}\nfor f; do echo more >> $f; done\n")
    tree.check("good.txt")
    tree.runs()
    tree.check("good.txt")
    assert len(tree.runs()) == 1


def test_an_unknown_plugin_is_refused(tree: CheckedTree) -> None:
    """`only` with a word that nothing answers to names what is near."""
    with pytest.raises(UsageError, match="did you mean scan"):
        tree.check(only=("scam",))


def test_a_plugin_that_could_not_be_loaded_is_told_when_it_is_named(tree: CheckedTree) -> None:
    """`only` with a plugin whose manifest is broken says what is wrong with the manifest."""
    tree.declare("bent", tool={"command": ""})
    with pytest.raises(UsageError) as refused:
        tree.check(only=("bent",))
    assert "bent" in str(refused.value.hint)


def test_a_plugin_answers_to_its_tool(tree: CheckedTree) -> None:
    """`skip` takes the command of the tool as well as the plugin's id."""
    tree.declare("other", tool={"command": "scan"})
    tree.declare("third", tool={"command": "more"})
    report = tree.check(only=("scan", "other", "third"), skip=("more",))
    assert {item.plugin_id for item in report.plugins} == {"scan", "other"}


def test_strict_lets_warnings_fail(tree: CheckedTree) -> None:
    """A warning passes a file, and fails it in strict mode."""
    tree.declare(output={"reader": "lines", "pattern": LINE, "severity": "warning"})
    assert tree.check().passed
    assert of(tree.check(strict=True), "bad.txt").status is Status.FAILED


def test_a_comment_sets_a_finding_aside(tree: CheckedTree) -> None:
    """A suppressed finding is counted and fails nothing."""
    tree.write(bad="BAD # penstock: ignore\n")
    result = of(tree.check(), "bad.txt")
    assert (len(result.findings), len(result.suppressed), result.status) == (0, 1, Status.PASSED)


def test_explain_names_what_changed(tree: CheckedTree) -> None:
    """With `explain` every file has a reason: new, changed content, or nothing changed."""
    first = tree.check(explain=True)
    tree.write(good="other\n")
    second = tree.check(explain=True)
    assert {item.because for item in first.explanations} == {"not checked before"}
    told = {item.path: (item.cached, item.because) for item in second.explanations}
    assert told["good.txt"] == (False, "content changed")
    assert told["bad.txt"][0]


def test_a_project_plugin_sees_all_files_again(tree: CheckedTree) -> None:
    """When one file changes, a plugin of reach project gets all that were asked for."""
    tree.declare(depends={"reach": "project", "project_extensions": ["txt"]})
    tree.check()
    tree.runs()
    tree.check()
    assert tree.runs() == []
    tree.write(good="other\n")
    tree.check()
    assert tree.runs() == ["bad.txt good.txt"]


def test_a_project_plugin_notices_a_file_that_it_was_not_asked_about(tree: CheckedTree) -> None:
    """A result of reach project is void when another file of the project changes."""
    tree.declare(depends={"reach": "project", "project_extensions": ["txt"]})
    tree.check("bad.txt")
    tree.runs()
    tree.write(unseen="new\n")
    files = ("bad.txt", "good.txt", "unseen.txt")
    with tree.engine() as engine:
        engine.inspect(_request(tree, listing=files))
    assert tree.runs() == ["bad.txt"]


def _request(tree: CheckedTree, listing: tuple[str, ...]) -> InspectionRequest:
    return InspectionRequest(place=tree.place, files=("bad.txt",), listing=listing, only=("scan",))


def test_a_stop_begins_nothing_more(tree: CheckedTree) -> None:
    """After a stop nothing is started, nothing kept, and the report says that it was interrupted."""
    tree.stop.ask()
    report = tree.check()
    assert report.interrupted
    assert (report.files, report.passed) == ((), False)
    assert report.unfinished == ("bad.txt", "good.txt")
    assert tree.runs() == []
    tree.stop = Stop()
    assert not tree.check().passed


def test_progress_counts_up_to_all_files(tree: CheckedTree) -> None:
    """Whoever listens hears how many of a plugin's files are done, up to all of them."""
    heard: list[tuple[str, int, int]] = []
    with tree.engine() as engine:
        engine.inspect(_request(tree, ("bad.txt",)), on_progress=lambda *said: heard.append(said))
    assert heard == [("scan", 0, 1), ("scan", 1, 1)]


def test_two_at_once_share_the_cache(tree: CheckedTree) -> None:
    """Inspections side by side say the same, and what they kept serves the next one."""
    reports = []
    threads = [threading.Thread(target=lambda: reports.append(tree.check())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(of(report, "bad.txt").findings) for report in reports] == [1] * 4
    tree.runs()
    tree.check()
    assert tree.runs() == []
