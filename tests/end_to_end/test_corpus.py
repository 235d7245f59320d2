"""Inputs that once broke the contract, or that everybody tries first: kept for good, one by one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from stresslab.core.safe_files import digests
from stresslab.report.formats.html import render
from stresslab.runs.folder import load_run
from tests.end_to_end.contract import BARS, SMALL, keeps_contract

SAMPLE = ("sample", *SMALL)
pytestmark = pytest.mark.usefixtures("there")


def refused(words: list[str], place: Path, told: str = "") -> None:
    """Exit code 2 and one line with this in it."""
    outcome = keeps_contract(words, place)
    assert outcome.code == 2
    assert told in outcome.err


# -------------------------------------------------------------------------------------------------------------- bars

NUMBER = "1" + "0" * 400
BAD_BARS = {
    "empty cells": b",,,,\n,,,,\n",
    "a time stamp of infinity": b"date,open,high,low,close\ninf,1,1,1,1\ninf,1,1,1,1\n",
    "an integer beyond floats": BARS.assign(volume=[NUMBER] * len(BARS)).to_csv(index=False).encode(),
    "prices of infinity": BARS.assign(open="inf").to_csv(index=False).encode(),
    "one line of a megabyte": b"date,open,high,low,close\n" + b"1" * 2**20,
    "a quote that never ends": BARS.to_csv(index=False).encode().replace(b"\n", b'\n"', 1),
    "null bytes": b"date,open,high,low,close\n" + b"\0" * 5000,
    "a parquet file of its magic alone": b"PAR1PAR1",
    "a parquet footer of 4 GB": b"PAR1" + b"\xff\xff\xff\xffPAR1",
    "a feather file of its magic alone": b"ARROW1\0\0" + b"\xff" * 64 + b"ARROW1",
    "years that no clock has": BARS.assign(date=[f"{9000 + n}-01-01" for n in range(90)]).to_csv(index=False).encode(),
}


@pytest.mark.parametrize("content", BAD_BARS.values(), ids=BAD_BARS)
def test_bars(content: bytes, place: Path) -> None:
    """Files that are no series."""
    (place / "spoilt").write_bytes(content)
    refused([*SAMPLE, "--data", "spoilt"], place, "spoilt")
    keeps_contract([*SAMPLE, "--data", "spoilt", "--repair"], place)


@pytest.mark.parametrize("flag", ["--since", "--until", "--origin"])
@pytest.mark.parametrize("date", ["1600-01-01", "0001-01-01", "9999-12-31", "2262-04-12", "1e400", "now+1", ""])
def test_dates(flag: str, date: str, place: Path) -> None:
    """Dates that nanoseconds do not reach, and texts that are none."""
    refused([*SAMPLE, "--data", "bars.csv", flag, date], place)


# ------------------------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fail_on: 5\n", "fail_on=5"),
        ("horizn: 5\n", "did you mean 'horizon'"),
        ("param: 5\n", "param=5"),
        ("until: 20\n", "until=20"),
        ("!!python/object/apply:os.system ['touch owned']\n", "YAML"),
        ("a: &a [1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a]\nparam: {x: [*b, *b, *b], y: &y [*y]}\n", "values"),
        ("horizon: 5\n" * 100_000, "bytes"),
        ("[" * 10_000, "YAML"),
        ("", "NoneType"),
    ],
)  # fmt: skip
def test_settings(text: str, told: str, place: Path) -> None:
    """Files that hold what no setting is, or more than settings are."""
    (place / "config.yaml").write_text(text)
    refused(["check", "strategy.py", "--data", "bars.csv", "--config", "config.yaml"], place, told)


def test_a_file_of_settings_that_never_ends(place: Path) -> None:
    """A device is no file of settings."""
    refused([*SAMPLE, "--data", "bars.csv", "--config", "/dev/zero"], place, "/dev/zero")


# --------------------------------------------------------------------------------------------------------- strategies


@pytest.mark.parametrize(
    "body",
    [
        "async def signals(bars):\n    return 1\n",
        "def signals(bars):\n    yield 1\n",
        "def signals(bars):\n    raise GeneratorExit\n",
        "def signals(bars):\n    raise MemoryError\n",
        "def signals(bars):\n    raise SystemExit(0)\n",
        "def signals(bars):\n    raise Exception('two\\nlines \\x1b[31m')\n",
        "raise GeneratorExit\n",
        "def signals(bars):\n    return signals(bars)\n",
        "def signals(bars):\n    import numpy\n    return numpy.ones((2**40, 2**20))\n",
    ],
)
def test_strategies(body: str, place: Path) -> None:
    """Code that does what code should not."""
    (place / "odd.py").write_text(body)
    try:
        refused(["check", "odd.py", "--data", "bars.csv"], place)
    finally:
        (place / "odd.py").unlink()


# ------------------------------------------------------------------------------------------------------------ weights


def _settings(part: str, **values: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / part / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


def _replaced(name: str, by: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(by)

    return change


WEIGHTS = "model/model.safetensors"
BAD_WEIGHTS: dict[str, Callable[[Path], object]] = {
    "sixty thousand layers": _settings("model", n_layers=60_000),
    "layers of the tokenizer": _settings("tokenizer", n_enc_layers=60_000),
    "a width beyond the file": _settings("model", d_model=65_536),
    "a number beyond floats": _settings("tokenizer", representation={"kind": "returns", "scales": [10**400]}),
    "a context beyond all": _settings("model", max_context=-1),
    "weights without an end": _replaced(WEIGHTS, "/dev/zero"),
    "settings without an end": _replaced("model/config.json", "/dev/zero"),
    "weights that lead to themselves": _replaced(WEIGHTS, "model.safetensors"),
    "a header of 10 GB": lambda folder: (folder / WEIGHTS).write_bytes((10 * 2**30).to_bytes(8, "little") + b"{}"),
    "a file of 10 GB, of which nothing is written": lambda folder: os.truncate(folder / WEIGHTS, 10 * 2**30),
    "a pickle": lambda folder: (folder / WEIGHTS).rename(folder / "model" / "pytorch_model.bin"),
    "settings of a million brackets": lambda folder: (folder / "model" / "config.json").write_text("[" * 10**6),
}


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(harm, id=name, marks=[pytest.mark.slow] if name.startswith("a file of 10 GB") else [])
        for name, harm in BAD_WEIGHTS.items()
    ],
)
def test_weights(harm: Callable[[Path], object], place: Path) -> None:
    """Checkpoints that claim too much or are something else."""
    shutil.copytree(place / "tiny", place / "spoilt-model")
    try:
        harm(place / "spoilt-model")
        words = ["--universes", "2", "--horizon", "2", "--context", "8", "--jobs", "1", "--out", "out"]
        refused(["sample", "--data", "bars.csv", "--model", "spoilt-model", *words], place)
    finally:
        shutil.rmtree(place / "spoilt-model")


# --------------------------------------------------------------------------------------------------------------- runs


@pytest.fixture
def run(place: Path) -> Any:
    """A copy of the stored run, to be spoilt."""
    folder = place / "spoilt-run"
    shutil.copytree(place / "run", folder)
    yield folder
    shutil.rmtree(folder)


def rehashed(folder: Path) -> None:
    """Let the manifest name the files as they are."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {name: digest for name, digest in digests(folder).items() if name != "manifest.json"}
    (folder / "manifest.json").write_text(json.dumps(manifest))


COMMANDS = (
    ["show", "spoilt-run"],
    ["report", "spoilt-run", "--format", "md", "--out", "out"],
    ["compare", "run", "spoilt-run"],
)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("target", ["/dev/zero", "/etc/passwd", "."])
def test_links_in_a_run(words: list[str], target: str, place: Path, run: Path) -> None:
    """Nothing outside the folder is read or written through one."""
    (run / "report").symlink_to(target)
    refused(words, place, "link")
    (run / "report").unlink()
    (run / "metrics.parquet").unlink()
    (run / "metrics.parquet").symlink_to(target)
    refused(words, place, "link")


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_names_that_leave_a_run(words: list[str], place: Path, run: Path) -> None:
    """A manifest that names files elsewhere is not verified, and no other command looks at them."""
    manifest = json.loads((run / "manifest.json").read_text())
    for name in ("../run/result.json", "/etc/passwd", "C:\\boot.ini"):
        (run / "manifest.json").write_text(json.dumps(manifest | {"files": manifest["files"] | {name: "0" * 64}}))
        refused(["verify", "spoilt-run"], place, "outside")
        assert keeps_contract(words, place).code == 0


class Tags(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep both."""
        self.found.append(tag)
        self.found += [name for name, _ in attrs]


MARKUP = "<evil onerror=1>'\"--></script><evil>{{9901*9907}}"


def marked(tree: Any) -> Any:
    """Every text in a tree, and every name of a mapping of free names, with markup at its end."""
    if isinstance(tree, dict):
        return {name: marked(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return [marked(value) for value in tree]
    return tree + MARKUP if isinstance(tree, str) else tree


def texts(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a tree texts are."""
    if isinstance(tree, dict | list):
        pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
        return [found for key, value in pairs for found in texts(value, (*path, key))]
    return [path] if isinstance(tree, str) else []


def test_texts_of_a_run_are_escaped(place: Path, run: Path) -> None:
    """Markup in any one text of result.json comes out as text, or the run is refused; no element of its own appears."""
    whole = json.loads((run / "result.json").read_text())
    rendered = 0
    for path in texts(whole):
        facts = json.loads(json.dumps(whole))
        holder = facts
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] += MARKUP
        (run / "result.json").write_text(json.dumps(facts))
        rehashed(run)
        try:
            page = render(load_run(run))
        except Exception:  # refused by the commands, as the tests above see to
            continue
        rendered += 1
        assert not {"evil", "onerror"} & set(Tags(page).found), path
        assert str(9901 * 9907) not in page
    assert rendered > 10
