"""`stresslab train`: from files of bars to a model that runs, and one line for what cannot be trained."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import matplotlib.image
import pandas as pd
import pytest
import torch

import stresslab as sl
from stresslab.core.text import percent
from stresslab.realism import pooled
from tests.cli.conftest import Command
from tests.generators.kronos.cases import save_tiny
from tests.make.bars import make_bars
from tests.make.refused import assert_refused

SHORT = ("--steps", "3", "--batch", "2")
TOKENIZER = ("--context", "64", "--bits", "4", "--width", "8", "--layers", "1", *SHORT)
MODEL = ("--context", "64", "--width", "16", "--layers", "1", "--heads", "2", *SHORT)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny networks on one thread: more of them only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of twelve short series: ten as CSV, two as symbols of one parquet file."""
    folder = tmp_path_factory.mktemp("corpus")
    frames = [make_bars(360, seed=seed).frame.rename_axis("timestamp") for seed in range(12)]
    for number, frame in enumerate(frames[:10]):
        frame.to_csv(folder / f"s{number}.csv")
    both = [frame.reset_index().assign(symbol=f"t{number}") for number, frame in enumerate(frames[10:])]
    pd.concat(both).to_parquet(folder / "more.parquet")
    return folder


def test_a_model_of_ones_own(command: Command, corpus: Path, csv: Path, strategy: Path, tmp_path: Path) -> None:
    """Tokenizer, then model, then a run with it; each command says what it made and what comes next."""
    out = tmp_path / "models" / "mine"
    first = command("train", "tokenizer", "--data", corpus, "--out", out, *TOKENIZER)
    assert first.code == 0, first.err
    assert first.out == f"tokenizer in {out / 'tokenizer'}; next: stresslab train model --out {out}\n"
    assert [line.split(":")[0] for line in first.err.splitlines()] == ["loading", "training"]
    assert "3 steps" in first.err
    assert re.search(r"training: .*, loss \d+\.\d{3}, [\d,]+ bars/s\n", first.err)
    second = command("train", "model", "--data", corpus, "--out", out, *MODEL)
    assert second.code == 0, second.err
    assert second.out.startswith(f"model in {out}\nheld-out loss ")
    for name in ("loss.png", "tokenizer-loss.png"):
        assert matplotlib.image.imread(out / name)[..., :3].std() > 0.03
    card = json.loads((out / "card.json").read_text())
    assert card["model"]["data"]["series"] == 11
    assert card["tokenizer"]["sizes"]["bits"] == 4
    assert f"{card['model']['evaluation']['loss']:.3f} nats a bar" in second.out
    assert (sl.Kronos(str(out)).sample(sl.load_bars(csv), 3, 2).values > -1).all()
    arguments = ("--data", csv, "--model", out, "--universes", "4", "--horizon", "3", "--realism-origins", "0")
    assert command("run", strategy, *arguments, "--out", tmp_path / "runs").code == 0


def test_run_again_it_is_finished_at_once(command: Command, corpus: Path, tmp_path: Path) -> None:
    """The same command takes no further step and changes no file."""
    arguments = ("train", "tokenizer", "--data", corpus, "--out", tmp_path, *TOKENIZER)
    first = command(*arguments)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    second = command(*arguments)
    assert (second.code, second.out) == (0, first.out)
    assert "training" not in second.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_several_sources_and_a_date(command: Command, corpus: Path, tmp_path: Path) -> None:
    """--data may be repeated; --cut holds for every source."""
    sources = ("--data", corpus / "more.parquet", "--data", corpus / "s3.csv", "--cut", "2016-01-04")
    assert command("train", "tokenizer", *sources, "--out", tmp_path, *TOKENIZER).code == 0
    data = json.loads((tmp_path / "card.json").read_text())["tokenizer"]["data"]
    assert set(data["cuts"].values()) == {"2016-01-04"}
    assert len(data["cuts"]) == 2
    assert data["series"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tokenizer",), ["no bars are given", "--data"]),
        (("tokenizer", "--data", "{empty}"), ["holds no tables", ".csv"]),
        (("tokenizer", "--data", "nowhere.csv"), ["nowhere.csv", "no such file"]),
        (("tokenizer", "--data", "{short}"), ["no held-out series", "--cut"]),
        (("tokenizer", "--data", "{corpus}", "--cut", "someday"), ["--cut='someday'", "not a date"]),
        (("tokenizer", "--data", "{corpus}", "--cut", "2099-01-01"), ["no held-out series", "--cut"]),
        (("tokenizer", "--data", "{corpus}", "--cut", "1999-01-01"), ["no series has the 32 bars"]),
        (("tokenizer", "--data", "{corpus}", "--context", "16"), ["context=16"]),
        (("tokenizer", "--data", "{corpus}", "--bits", "99"), ["bits=99"]),
        (("tokenizer", "--data", "{corpus}", "--steps", "0"), ["steps=0"]),
        (("tokenizer", "--data", "{corpus}", "--steps", "many"), ["many"]),
        (("tokenizer", "--data", "{corpus}", "--learning-rate", "nan"), ["learning_rate=nan"]),
        (("tokenizer", "--data", "{corpus}", "--precision", "float8"), ["precision='float8'"]),
        (("tokenizer", "--data", "{corpus}", "--device", "abacus"), ["device='abacus'"]),
        (("model", "--data", "{corpus}", "--width", "100"), ["width=100", "heads=2"]),
        (("model", "--data", "{corpus}", "--from", "nano"), ["width=16 contradicts nano", "192", "--from"]),
        (("model", "--data", "{corpus}", "--from", "nowhere"), ["model='nowhere'"]),
        (("model", "--data", "{corpus}", "--from", "{out}"), ["--from and --out are both"]),
        (("model", "--data", "{corpus}"), ["train one with", "--tokenizer"]),
        (("model", "--data", "{corpus}", "--tokenizer", "{empty}"), ["{empty}"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_what_cannot_be_trained_is_refused(
    command: Command, corpus: Path, tmp_path: Path, arguments: tuple[str, ...], words: list[str]
) -> None:
    """Exit code 2, one line, and no folder left behind."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "short").mkdir()
    make_bars(50).frame.to_csv(tmp_path / "short" / "a.csv", index_label="date")
    places = {"empty": tmp_path / "empty", "short": tmp_path / "short", "corpus": corpus, "out": tmp_path / "a" / "out"}
    stage, *rest = (argument.format(**places) for argument in arguments)
    before = set(tmp_path.rglob("*"))
    outcome = command("train", stage, "--out", tmp_path / "a" / "out", *(TOKENIZER, MODEL)[stage == "model"], *rest)
    assert_refused(outcome, *(word.format(**places) for word in words))
    assert set(tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_written_is_refused(command: Command, corpus: Path, tmp_path: Path) -> None:
    """Found before anything is loaded."""
    (tmp_path / "file").touch()
    outcome = command("train", "tokenizer", "--data", corpus, "--out", tmp_path / "file" / "mine", *TOKENIZER)
    assert_refused(outcome, "--out", "cannot be written")


def test_other_bars_do_not_go_on_with_a_training(command: Command, corpus: Path, tmp_path: Path) -> None:
    """A folder with a training on other bars is refused, not silently taken for one on these."""
    assert command("train", "tokenizer", "--data", corpus, "--out", tmp_path, *TOKENIZER).code == 0
    outcome = command("train", "tokenizer", "--data", corpus / "more.parquet", "--out", tmp_path, *TOKENIZER)
    assert_refused(outcome, "began with other bars", "--out")


def test_any_checkpoint_is_tuned_with_one_command(command: Command, corpus: Path, tmp_path: Path) -> None:
    """--from starts from a checkpoint, and the folder that it leaves is whole: model, tokenizer, card and picture."""
    start, out = save_tiny(tmp_path / "start", max_context=64), tmp_path / "mine"
    arguments = ("train", "model", "--from", start, "--data", corpus, "--out", out, *SHORT)
    outcome = command(*arguments)
    assert outcome.code == 0, outcome.err
    card = json.loads((out / "card.json").read_text())["model"]
    assert card["tuned_from"]["model"] == str(start)
    assert card["schedule"]["learning_rate"] == 2e-4
    assert f"{start} was trained on bars up to 2020-12-31: it may have seen the held-out ones" in outcome.out
    assert (out / "loss.png").is_file()
    assert sl.Kronos(str(out)).describe()["max_context"] == 64
    tuned = command("train", "tokenizer", "--from", start, "--data", corpus, "--out", tmp_path / "other", *SHORT)
    assert tuned.code == 0, tuned.err


def test_a_bad_file_is_refused_or_skipped_by_choice(command: Command, tmp_path: Path) -> None:
    """Fifty files, one of them bad: named with its reason; with --skip-bad named, left out and counted."""
    folder, out = tmp_path / "bars", tmp_path / "out"
    folder.mkdir()
    for number in range(49):
        make_bars(330, seed=number).frame.to_csv(folder / f"s{number:02}.csv", index_label="date")
    (folder / "torn.csv").write_text("date,open,high\n2020-01-01,1,2\n")
    arguments = ("train", "tokenizer", "--data", folder, "--out", out, *TOKENIZER)
    assert_refused(command(*arguments), "torn.csv", "close", "--skip-bad")
    outcome = command(*arguments, "--skip-bad")
    assert outcome.code == 0, outcome.err
    assert "skipped 1 bad file or symbol:\n" in outcome.out
    assert "torn.csv" in outcome.out
    assert "1 bad skipped" in outcome.err
    data = json.loads((out / "card.json").read_text())["tokenizer"]["data"]
    assert data["series"] == 45
    assert len(data["skipped"]) == 1


def test_cuts_are_told(command: Command, tmp_path: Path) -> None:
    """Where series were cut into segments, the command says at what."""
    bars = make_bars(400)
    frame = bars.frame.copy()
    frame.iloc[150:, :4] *= 3
    frame.to_csv(tmp_path / "a.csv", index_label="date")
    outcome = command("train", "tokenizer", "--data", tmp_path / "a.csv", "--out", tmp_path / "out", *TOKENIZER)
    assert outcome.code == 0, outcome.err
    assert "(gaps in time: 0, jumps of the price: 1)" in outcome.out


@pytest.mark.slow
def test_a_trained_model_brings_its_own_evidence(
    command: Command, csv: Path, strategy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training ends with a calibration on the held-out series, which the card keeps and the gate and page rest on.

    Two series of 16 origins stand for a hundred here.
    """
    monkeypatch.setattr(pooled, "FEWEST", 16)
    for number in range(2):
        make_bars(700, seed=number).frame.to_csv(tmp_path / f"s{number}.csv", index_label="date")
    out, data = tmp_path / "mine", ("--data", tmp_path / "s0.csv", "--data", tmp_path / "s1.csv", "--cut", "2015-06-01")
    assert command("train", "tokenizer", *data, "--out", out, *TOKENIZER).code == 0
    trained = command("train", "model", *data, "--out", out, *MODEL)
    assert trained.code == 0, trained.err
    assert trained.out.splitlines()[-1] == f"calibrated on held-out 1 day, weekdays: {out / 'calibration.json'}"
    found = json.loads((out / "calibration.json").read_text())
    row = found["kinds"]["1 day, weekdays"]
    assert (row["origins"], row["series"], row["horizon"]) == (16, 2, 60)
    generator = sl.Kronos(str(out))
    assert found["weights"] == generator.describe()["hashes"]
    checks = {check.name: check for check in sl.assess_realism(sl.load_bars(csv), generator, 20, origins=2).checks}
    assert checks["pooled_coverage_90"].value == row["coverage_90"]["value"]
    assert "pooled_coverage_90" not in {
        check.name
        for check in sl.assess_realism(sl.load_bars(csv), sl.Kronos(str(out), top_p=0.9), 20, origins=2).checks
    }
    listed = command("models", out)
    assert listed.code == 0, listed.err
    assert f"{row['coverage_90']['value']:.1%}" in listed.out
    run = ("--data", csv, "--model", out, "--universes", "8", "--horizon", "20", "--realism-origins", "2")
    assert command("run", strategy, *run, "--jobs", "1", "--out", tmp_path / "runs").code == 0
    (page,) = (tmp_path / "runs").rglob("report.html")
    words = html.unescape(" ".join(page.read_text().split()))
    assert "16 held-out origins of other series" in words
    assert f"intervals held {percent(row['coverage_90']['value'])} of later outcomes; on this series so far " in words
    assert " of 2 at bar 20." in words
