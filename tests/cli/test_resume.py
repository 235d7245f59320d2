"""A run that is stopped at any moment goes on, and ends with the bytes of one that was not."""

from __future__ import annotations

import errno
import hashlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from stresslab.core.checkpoints import LEDGER, Shards
from stresslab.runs.shard_result import ShardResult
from tests.cli.conftest import Command
from tests.make.refused import assert_refused

BRIEF = (
    "--generator",
    "bootstrap",
    "--horizon",
    "10",
    "--warmup",
    "60",
    "--realism-origins",
    "0",
    "--permutations",
    "9",
)
FEW = ("--universes", "400", "--memory", "526MB", "--jobs", "1")
"""Shards of 64 universes: what one process needs, and no more."""


@pytest.fixture
def words(csv: Path, strategy: Path) -> tuple[object, ...]:
    """A run of seven shards."""
    return ("run", strategy, "--data", csv, *BRIEF, *FEW)


def stop_after(count: int, how: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let something happen when so many shards are finished."""
    add = Shards.add

    def stopping(self: Shards, position: int, write: Any) -> Path:
        if position == count:
            how()
        return add(self, position, write)

    monkeypatch.setattr(Shards, "add", stopping)


def interrupt() -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


def the_run(folder: Path) -> Path:
    """The one run in a folder, in which nothing else is but the ledger of tests."""
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith("2")) == ["ledger.jsonl"]
    (run,) = folder.glob("2*/")
    return run


def facts(run: Path) -> Any:
    """What a run found, without what was in the ledger when it ended."""
    found = json.loads((run / "result.json").read_text())
    found["run"].pop("notices")
    return found


def assert_same(run: Path, other: Path) -> None:
    """The bytes of the tables, and every fact."""
    for name in ("metrics.parquet", "equity.parquet", "paths.parquet", "bar_records.parquet"):
        assert (run / name).read_bytes() == (other / name).read_bytes(), name
    ours, theirs = facts(run), facts(other)
    assert {**ours["run"], "config": {**ours["run"]["config"], "out": ""}} == {
        **theirs["run"], "config": {**theirs["run"]["config"], "out": ""},
    }  # fmt: skip
    assert ours["strategies"] == theirs["strategies"]


def resumed_from(error: str) -> Path:
    """The folder that the line names."""
    found = re.search(r"stresslab resume (\S+)$", error.strip())
    assert found is not None, error
    return Path(found[1])


def test_ctrl_c_and_resume(command: Command, words: tuple[object, ...], tmp_path: Path, monkeypatch: Any) -> None:
    """One line with the command that goes on, exit code 3; finished shards are not computed again."""
    assert command(*words, "--out", tmp_path / "whole").code == 0
    with monkeypatch.context() as patch:
        stop_after(3, interrupt, patch)
        stopped = command(*words, "--out", tmp_path / "runs")
    assert stopped.code == 3
    last = stopped.err.splitlines()[-1]
    assert last.startswith("error: interrupted; finished universes are kept, go on with: stresslab resume ")
    work = resumed_from(last)
    assert list((tmp_path / "runs").iterdir()) == [work]
    again = []
    with monkeypatch.context() as patch:
        stop_after(-1, interrupt, patch)
        add = Shards.add
        patch.setattr(Shards, "add", lambda self, position, write: (again.append(position), add(self, position, write)))
        assert command("resume", work).code == 0
    assert again == [3, 4, 5, 6]
    assert_same(the_run(tmp_path / "runs"), the_run(tmp_path / "whole"))


def test_torn_and_altered_shards_are_done_again(
    command: Command, words: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shard whose bytes are not those of the ledger does not count, nor does half a line of the ledger."""
    assert command(*words, "--out", tmp_path / "whole").code == 0
    with monkeypatch.context() as patch:
        stop_after(5, interrupt, patch)
        work = resumed_from(command(*words, "--out", tmp_path / "runs").err)
    torn = work / "outcome-000001.npz"
    torn.write_bytes(torn.read_bytes()[:-100])
    ledger = work / LEDGER
    ledger.write_bytes(ledger.read_bytes()[:-30])
    assert command("resume", work).code == 0
    assert_same(the_run(tmp_path / "runs"), the_run(tmp_path / "whole"))


def test_a_full_disk_loses_nothing(
    command: Command, words: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says what is full, and how to go on."""
    with monkeypatch.context() as patch:
        save = ShardResult.save

        def full(self: ShardResult, path: Path) -> None:
            if self.found[0].metrics.index[0] >= 128:
                raise OSError(errno.ENOSPC, "No space left on device")
            save(self, path)

        patch.setattr(ShardResult, "save", full)
        stopped = command(*words, "--out", tmp_path / "runs")
    assert stopped.code == 3
    assert "No space left on device" in stopped.err
    assert command("resume", resumed_from(stopped.err)).code == 0
    the_run(tmp_path / "runs")


def test_what_has_changed_is_refused(
    command: Command, words: tuple[object, ...], strategy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another strategy, other bars, another stresslab: half a run of each would be neither; what is finished stays."""
    with monkeypatch.context() as patch:
        stop_after(2, interrupt, patch)
        work = resumed_from(command(*words, "--out", tmp_path / "runs").err)
    text = strategy.read_text()
    strategy.write_text(text.replace("20", "21"))
    assert_refused(command("resume", work), "has changed", "start a new run")
    strategy.write_text(text)
    plan = json.loads((work / "plan.json").read_text())
    for name, value, told in (("code", "0", "stresslab"), ("data", {"digest": "0"}, "the bars have changed")):
        (work / "plan.json").write_text(json.dumps({**plan, name: value}))
        assert_refused(command("resume", work), told)
    (work / "plan.json").write_text(json.dumps(plan))
    assert command("resume", work).code == 0
    assert_refused(command("resume", work), "holds no run that was stopped")


def test_nothing_is_left_where_nothing_was_finished(
    command: Command, words: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first shard is whole there is nothing to go on from."""
    stop_after(0, interrupt, monkeypatch)
    stopped = command(*words, "--out", tmp_path / "runs")
    assert stopped.code == 3
    assert "resume" not in stopped.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_memory_and_jobs_change_no_byte(command: Command, csv: Path, strategy: Path, tmp_path: Path) -> None:
    """Nor does the size of the shards that follows from them, also where more universes are sampled for precision."""
    common = ("run", strategy, "--data", csv, *BRIEF, "--universes", "300", "--precision", "0.04")
    assert command(*common, "--memory", "526MB", "--jobs", "1", "--out", tmp_path / "small").code == 0
    assert command(*common, "--jobs", "2", "--out", tmp_path / "large").code == 0
    small, large = (the_run(tmp_path / name) / "metrics.parquet" for name in ("small", "large"))
    assert small.read_bytes() == large.read_bytes()


def test_too_little_memory_is_refused(command: Command, words: tuple[object, ...], tmp_path: Path) -> None:
    """Before the work starts, with what would do."""
    assert_refused(command(*words, "--memory", "100MB", "--out", tmp_path / "runs"), "memory=100 MB", "--memory 526MB")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--scheduler", "tcp://127.0.0.1:9"), "add --backend dask"),
        (("--backend", "dask", "--scheduler", "127.0.0.1"), "does not answer"),
        (("--memory", "much"), "is not a size"),
    ],
)
def test_workers_that_cannot_be_are_refused(
    command: Command, words: tuple[object, ...], tmp_path: Path, flags: tuple[str, ...], told: str, monkeypatch: Any
) -> None:
    """In one line, with nothing left behind."""
    monkeypatch.setattr("stresslab.core.dask.CONNECT", 0.5)
    assert_refused(command(*words, *flags, "--out", tmp_path / "runs"), told)
    assert not (tmp_path / "runs").exists()


def test_one_process_at_a_time_goes_on(
    command: Command, words: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second `resume` of the same folder is told, and takes nothing away; then the first one may go on."""
    with monkeypatch.context() as patch:
        stop_after(2, interrupt, patch)
        work = resumed_from(command(*words, "--out", tmp_path / "runs").err)
    plan = json.loads((work / "plan.json").read_text())
    with Shards(work, plan, 7, lambda position: f"outcome-{position:06d}.npz").working():
        second = command("resume", work)
        assert second.code == 3
        assert "another process works in" in second.err
    assert command("resume", work).code == 0


def test_a_shard_that_is_none_is_told(
    command: Command, words: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's folder may hold anything under the right hash: one line, and no code of it is run."""
    with monkeypatch.context() as patch:
        stop_after(2, interrupt, patch)
        work = resumed_from(command(*words, "--out", tmp_path / "runs").err)
    for content in (b"", b"PK", b"\x80\x04N."):
        (work / "outcome-000000.npz").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        (work / LEDGER).write_text(json.dumps({"piece": 0, "file": "outcome-000000.npz", "sha256": digest}) + "\n")
        told = command("resume", work)
        assert told.code == 3
        assert "holds no finished universes" in told.err


@pytest.mark.parametrize("moment", ["report", "rename", "ledger"])
@pytest.mark.slow
def test_killed_while_it_is_stored(
    command: Command, words: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Nothing but the work folder is left beside the runs; gone on with, there is one run and one line of it."""

    class Killed(BaseException):
        pass

    def killed(*arguments: Any, **options: Any) -> None:
        raise Killed

    where = {"report": "stresslab.report.write_report", "rename": "os.rename", "ledger": "stresslab.runs.folder.add"}
    with monkeypatch.context() as patch:
        patch.setattr(where[moment], killed)
        patch.setattr("stresslab.runs.folder.shutil.rmtree", lambda *arguments, **options: None)
        with pytest.raises(Killed):
            command(*words, "--out", tmp_path / "runs")
    (work,) = (tmp_path / "runs").glob(".*")
    runs = list((tmp_path / "runs").glob("2*/"))
    assert len(runs) == (moment == "ledger")
    assert not (tmp_path / "runs" / "ledger.jsonl").exists()
    done = command("resume", work)
    assert done.code == 0, done.err
    ended = the_run(tmp_path / "runs")
    assert runs in ([], [ended])
    assert f"report: {ended / 'report.html'}" in done.out
    (line,) = (tmp_path / "runs" / "ledger.jsonl").read_text().splitlines()
    assert json.loads(line)["run"] == ended.name
    assert_refused(command("resume", work), "holds no run that was stopped")


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_three_at_once_make_one_run(
    command: Command, words: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three processes that go on with the same folder one does, and the others say so in a line."""
    with monkeypatch.context() as patch:
        stop_after(6, interrupt, patch)
        work = resumed_from(command(*words, "--out", tmp_path / "runs").err)
    line = [sys.executable, "-m", "stresslab", "resume", str(work)]
    three = [subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    errors = [process.communicate()[1] for process in three]
    assert sorted(process.returncode for process in three) == [0, 2, 2], errors
    the_run(tmp_path / "runs")
    assert len((tmp_path / "runs" / "ledger.jsonl").read_text().splitlines()) == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot kill itself there like that")
def test_killed_at_twenty_moments(csv: Path, strategy: Path, tmp_path: Path) -> None:
    """Of its shards and its report; each run, gone on with, ends with the bytes of an undisturbed one."""
    words = [sys.executable, "-m", "stresslab"]
    run = [*words, "run", str(strategy), "--data", str(csv), *BRIEF, "--universes", "3000", *FEW[2:], "--out"]
    begun = time.monotonic()
    subprocess.run([*run, str(tmp_path / "whole")], check=True, capture_output=True)
    whole, lasted = the_run(tmp_path / "whole"), time.monotonic() - begun
    chance, shards = Random(0), []
    for attempt in range(20):
        out = tmp_path / str(attempt)
        with subprocess.Popen([*run, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not list(out.glob(".*.work/plan.json")):
                time.sleep(0.005)
            time.sleep(chance.uniform(0, lasted / 2))
            process.send_signal(signal.SIGKILL)
        works = list(out.glob(".*.work"))
        if works:
            shards.append(len(list(works[0].glob("outcome-*.npz"))))
            subprocess.run([*words, "resume", str(works[0])], check=True, capture_output=True)
        assert [path.suffix for path in out.glob(".*")] == [".work"] * len(works)
        (ended,) = out.glob("2*/")
        assert_same(ended, whole)
    assert np.ptp(shards) > 5
