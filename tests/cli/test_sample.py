"""`stresslab sample`: the universes that Python samples, as shards that can be continued."""

from __future__ import annotations

from pathlib import Path

import pytest

import stresslab as sl
from tests.cli.conftest import Command
from tests.make.flags import UNIVERSES


def test_sample_writes_the_universes_that_python_samples(command: Command, csv: Path, tmp_path: Path) -> None:
    """The shards hold what `generator.sample` returns for the same settings."""
    out = tmp_path / "new" / "universes"
    outcome = command("sample", "--data", csv, "--origin", "end", "--seed", "3", "--out", out, *UNIVERSES)
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[-1] == f"1 shard in {out}"
    loaded = sl.Universes.load(out)
    sampled = sl.StationaryBootstrap().sample(sl.load_bars(csv), 10, 20, seed=3)
    assert (loaded.values == sampled.values.astype("float32")).all()
    assert (loaded.timestamps == sampled.timestamps).all()


def test_an_interrupted_sample_goes_on(
    command: Command, csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends with exit code 3 and a line that says how to go on; then the shards are those of a sample at once."""
    words = ("sample", "--data", csv, "--generator", "bootstrap", "--universes", "200", "--horizon", "10")
    size, save = 64, sl.Universes.save_shard
    monkeypatch.setattr("stresslab.core.limits.chunk_size", lambda *given: size)
    left = [2]

    def stopped(self: sl.Universes, path: Path) -> None:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        save(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(sl.Universes, "save_shard", stopped)
        done = command(*words, "--out", tmp_path / "out")
    assert done.code == 3
    assert done.err.splitlines()[-1].startswith("error: interrupted; run the same command again")
    assert len(list((tmp_path / "out").glob("universes-*.parquet"))) == 2
    assert command(*words, "--out", tmp_path / "out").out.splitlines()[-1] == f"4 shards in {tmp_path / 'out'}"
    assert command(*words, "--out", tmp_path / "whole").code == 0
    for path in (tmp_path / "whole").glob("*.parquet"):
        assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes()
