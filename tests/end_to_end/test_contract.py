"""The contract under damage: every kind of input, spoilt at random, by command lines in this process.

Some cases of each kind always; with `-m slow` as many as `CASES` says. A case that once broke the contract is in
`test_corpus.py` for good.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.main import get_command

from stresslab.cli import app
from stresslab.core.safe_files import digests
from stresslab.runs.settings import StressConfig
from tests.end_to_end.contract import BARS, OUT, SMALL, keeps_contract
from tests.end_to_end.damage import (
    DATES,
    NUMBERS,
    VALUES,
    bytes_damaged,
    json_text,
    table_damaged,
    tree_damaged,
    weights_damaged,
)

CASES = {
    "bars": (25, 3000),
    "config": (25, 2000),
    "weights": (20, 1500),
    "run": (25, 2500),
    "strategy": (20, 1200),
    "flags": (25, 1500),
}
"""Cases of each kind in every test run, and in the slow one: 11,700 in all."""

Case = Callable[[Random], Any]
pytestmark = pytest.mark.usefixtures("there")


def check(case: Callable[[Random, Path], None], place: Path, count: int) -> None:
    """Try so many cases, the same ones every time."""

    @settings(
        max_examples=count, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.randoms(use_true_random=False))
    def tried(rnd: Random) -> None:
        case(rnd, place)

    tried()


# ------------------------------------------------------------------------------------------------------------- cases


def bars_case(rnd: Random, place: Path) -> None:
    """A file of bars in one of three formats, spoilt; sampled from, or a strategy checked on it."""
    kind = rnd.choice(("csv", "csv", "csv", "parquet", "feather"))
    whole = io.BytesIO()
    if kind == "csv":
        content = table_damaged(rnd, BARS.head(rnd.choice((0, 1, 3, 70, 90))).to_csv(index=False))
    elif kind == "parquet":
        BARS.to_parquet(whole)
        content = bytes_damaged(rnd, whole.getvalue())
    else:
        BARS.to_feather(whole)
        content = bytes_damaged(rnd, whole.getvalue())
    (place / "spoilt").write_bytes(content)
    repair = ("--repair",) if rnd.random() < 0.3 else ()
    if rnd.random() < 0.8:
        keeps_contract(["sample", "--data", "spoilt", *SMALL, *repair], place)
    else:
        keeps_contract(["check", "strategy.py", "--data", "spoilt", *repair], place)


YAMLS = (
    "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\n"
    "d: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d]\nparam: *e\n",
    "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    + "param: {window: *k}\n",
    "param: &p {a: *p}\n",
    "!!python/object/apply:os.system ['true']\n",
    "data: !!python/name:os.system\n",
    "horizon: !!binary aGVsbG8=\n",
    "universes: " + "[" * 3000,
    "? [a, b]\n: 1\n",
    "<<: {universes: 3}\n",
    "horizon: 1:30\nseed: 0o17\n",
    "---\na: 1\n---\nb: 2\n",
    "\ufeffhorizon: 5\n",
    "horizon: 5\nhorizon: 6\n",
)


def config_case(rnd: Random, place: Path) -> None:
    """A file of settings with values of other kinds, unknown names, or YAML that is more than data."""
    if rnd.random() < 0.15:
        text = rnd.choice(YAMLS)
    else:
        names = [name for name in StressConfig.model_fields if name not in ("jobs", "out", "universes", "model")]
        chosen = {"data": "bars.csv", "strategies": ["strategy.py"]}
        for _ in range(rnd.choice((1, 2, 3, 6))):
            name = rnd.choice((*names, "horizn", "universe", "", "out ", "__class__", "data.x"))
            chosen[name] = rnd.choice(
                (*VALUES, *NUMBERS, *DATES, 3, 20, 0.01, "carry", "garch", "bootstrap", ["a"], {"window": 4})
            )
        chosen = {name: value for name, value in chosen.items() if not _surrogate(value)}
        text = yaml.safe_dump(chosen, allow_unicode=True)
    content = text.encode("utf-8", errors="replace")
    (place / "config.yaml").write_bytes(bytes_damaged(rnd, content) if rnd.random() < 0.2 else content)
    flags = () if rnd.random() < 0.3 else ("--data", "bars.csv")
    if rnd.random() < 0.7:
        keeps_contract(["sample", "--config", "config.yaml", *flags, *SMALL], place)
    else:
        keeps_contract(["check", "--config", "config.yaml", *flags], place)


def _surrogate(value: Any) -> bool:
    return isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value)


def weights_case(rnd: Random, place: Path) -> None:
    """A checkpoint whose weights or settings are spoilt, with the other file whole."""
    folder = place / "spoilt-model"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(place / "tiny", folder)
    part = folder / rnd.choice(("model", "tokenizer"))
    kind = rnd.random()
    if kind < 0.6:
        file = part / "model.safetensors"
        file.write_bytes(weights_damaged(rnd, file.read_bytes()))
    elif kind < 0.9:
        file = part / "config.json"
        spoilt = json_text(tree_damaged(rnd, json.loads(file.read_text())))
        file.write_bytes(bytes_damaged(rnd, spoilt) if rnd.random() < 0.2 else spoilt)
    else:
        file = part / rnd.choice(("model.safetensors", "config.json"))
        file.unlink()
        if rnd.random() < 0.5:
            rnd.choice((file.mkdir, file.touch, lambda: file.symlink_to("/dev/zero"), lambda: file.symlink_to(file)))()
    words = [
        "--model",
        "spoilt-model",
        "--universes",
        "2",
        "--horizon",
        "2",
        "--context",
        "8",
        "--jobs",
        "1",
        "--out",
        "out",
    ]
    keeps_contract(["sample", "--data", "bars.csv", *words], place)
    shutil.rmtree(folder)


TABLES = (
    "metrics.parquet",
    "bars.parquet",
    "paths.parquet",
    "equity.parquet",
    "bar_records.parquet",
    "track_record.parquet",
)


def run_case(rnd: Random, place: Path) -> None:
    """A stored run with a file spoilt, and its hash corrected more often than not, as by someone who means harm."""
    folder = place / "spoilt-run"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(place / "run", folder)
    kind = rnd.randrange(5)
    if kind <= 1:
        file = folder / rnd.choice(("result.json", "result.json", "manifest.json"))
        spoilt = json_text(tree_damaged(rnd, json.loads(file.read_text())))
        file.write_bytes(bytes_damaged(rnd, spoilt) if rnd.random() < 0.1 else spoilt)
    elif kind == 2:
        file = folder / rnd.choice(TABLES)
        file.write_bytes(bytes_damaged(rnd, file.read_bytes()))
    elif kind == 3:
        file = folder / rnd.choice(TABLES)
        file.write_bytes((folder / rnd.choice(TABLES)).read_bytes())
    else:
        file = folder / rnd.choice(("result.json", "manifest.json", *TABLES))
        file.unlink()
        if rnd.random() < 0.7:
            rnd.choice(
                (file.mkdir, file.touch, lambda: file.symlink_to("/dev/zero"), lambda: file.symlink_to("/etc/passwd"))
            )()
    if file.name != "manifest.json" and rnd.random() < 0.8:
        _rehashed(folder)
    command = rnd.choice(
        (["show", "spoilt-run"], ["verify", "spoilt-run"], ["report", "spoilt-run", "--format", "md,json", *OUT],
         ["report", "spoilt-run", *OUT], ["compare", "run", "spoilt-run"], ["compare", "spoilt-run", "run", *OUT],
         ["rerun", "spoilt-run", "--jobs", "1"],
         ["replay", "spoilt-run", rnd.choice(("0", "3", "-1", "1e9", "9" * 30))])
    )  # fmt: skip
    keeps_contract(command, place)
    shutil.rmtree(folder)


def _rehashed(folder: Path) -> None:
    """Let the manifest name the files as they are now."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {name: digest for name, digest in digests(folder).items() if name != "manifest.json"}
    (folder / "manifest.json").write_text(json.dumps(manifest))


ANSWERS = (
    *(
        "above, ~above",
        "above",
        "None",
        "(above,)",
        "above, ~above, above",
        "above, ~above, above, ~above",
        "above * 1.0",
    ),
    *(
        "above.values, above.values",
        "above.T, above.T",
        "above.iloc[:3], above.iloc[:3]",
        "'text'",
        "object()",
        "[]",
        "{}",
    ),
    *(
        "above.astype(object), above",
        "above.where(above), above",
        "bars.close * float('nan'), above",
        "bars.close * 1e308",
    ),
    *(
        "bars.close * float('inf')",
        "1 / 0",
        "above.shift(-1), ~above",
        "bars.closs, above",
        "print('x') or (above, ~above)",
    ),
    *(
        "(_ for _ in ()).throw(SystemExit(7))",
        "(_ for _ in ()).throw(Exception('a\\nb\\x1b[31m'))",
        "lambda: 1",
        "above, 3",
    ),
    *(
        "bars.close.pct_change().rank(axis=1), above",
        "above[above.columns[::-1]], ~above",
        "above.reset_index(), above",
    ),
    *(
        "pd.concat([above, above]), ~above",
        "above.to_numpy().astype('float32'), above",
        "np.ones((2**40, 2**20)), above",
    ),
    *("bars.close.rolling(10**9).mean() > 0, above", "__import__('os').getcwd(), above", "exit()", "(1).x"),
)
BEFORE = (
    *("", "    bars.close.iloc[0, 0] = 5\n", "    bars.close = 3\n", "    import warnings; warnings.warn('w')\n"),
    *("    raise ValueError\n", "    assert False\n", "    del bars\n", "    global signals; signals = 5\n"),
    *("    for name in list(globals()): globals().pop(name)\n", "    import sys; sys.path.clear()\n", "    bars[0]\n"),
    *("    signals(bars)\n", "    raise KeyboardInterrupt\n", "    raise MemoryError\n", "    raise GeneratorExit\n"),
)
HEADS = (
    *(
        "def signals(bars):\n",
        "def weights(bars):\n",
        "def signals(bars, window=5):\n",
        "def signals():\n",
        "def signals(bars, x):\n",
    ),
    *(
        "def on_bar(state, bar):\n",
        "async def signals(bars):\n",
        "class signals:\n  def signals(self, bars):\n",
        "def signals(*a, **k):\n",
    ),
    *("signals = 5\ndef other(bars):\n", "@property\ndef signals(bars):\n", "def weights(bars, window: int = None):\n"),
)
TOPS = (
    "import numpy as np, pandas as pd\n",
    "import nowhere\n",
    "\0",
    "raise OSError('no')\n",
    "# -*- coding: nonsense -*-\n",
    "from . import x\n",
)


def strategy_case(rnd: Random, place: Path) -> None:
    """A strategy file put together from pieces that do not fit, or with its bytes spoilt."""
    text = rnd.choice((TOPS[0], TOPS[0], TOPS[0], rnd.choice(TOPS))) + rnd.choice(HEADS)
    text += rnd.choice(("", rnd.choice(BEFORE)))
    text += f"    above = bars.close > bars.close.rolling(5).mean()\n    return {rnd.choice(ANSWERS)}\n"
    content = text.encode()
    (place / "odd.py").write_bytes(bytes_damaged(rnd, content) if rnd.random() < 0.25 else content)
    flags = ["--param", rnd.choice(("window=3", "window=x", "x=1", "window=", "=", "window=1e99", "w=[]"))]
    keeps_contract(["check", "odd.py", "--data", "bars.csv", *(flags if rnd.random() < 0.4 else [])], place)


def _options() -> Mapping[str, list[str]]:
    """Every flag of the commands that are quick, from the command line itself."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    quick = ("sample", "check", "realism", "show", "verify", "strategies", "compare", "report")
    return {
        name: [option for one in commands[name].params for option in one.opts if option[0] == "-"] for name in quick
    }


OPTIONS = _options()
WHOLE: Mapping[str, tuple[str, ...]] = {
    "sample": ("--data", "bars.csv", *SMALL),
    "check": ("strategy.py", "--data", "bars.csv"),
    "realism": ("--data", "bars.csv", *SMALL[:8], "--realism-origins", "2"),
    "show": ("run",),
    "verify": ("run",),
    "strategies": (".",),
    "compare": ("run", "run"),
    "report": ("run", "--format", "md", *OUT),
}
"""What these commands need at least."""
HEAVY = {"--universes", "--jobs", "--realism-origins", "--model", "--device"}
"""Flags whose large values are a lot of honest work."""


def flags_case(rnd: Random, place: Path) -> None:
    """A command with flags of any command and values of any kind."""
    command = rnd.choice(list(OPTIONS))
    words = list(WHOLE[command])
    known = OPTIONS[command] if rnd.random() < 0.85 else OPTIONS[rnd.choice(list(OPTIONS))]
    for _ in range(rnd.choice((1, 1, 2, 3))):
        flag = rnd.choice((*known, "--horizn", "-x", "--", "-", "--=5", "--universes="))
        value = rnd.choice(
            (*NUMBERS, *DATES, "bars.csv", "run", ".", "/dev/null", "a/b/c", "sample:nasdaq", "yf:", "x:y", "--help")
        )
        if flag in HEAVY and value not in ("", "nan", "-1", "0", "1.2.3", "12abc", "None", "yesterday", "a/b/c"):
            continue
        if flag == "--out" and value not in ("bars.csv", "/dev/null", "", "a/b/c"):
            continue
        if flag == "--out" and value == "a/b/c":
            value = "out/b/c"
        words = [*words, flag, value] if rnd.random() < 0.9 else [*words, flag]
    rnd.shuffle(words) if rnd.random() < 0.05 else None
    if "\0" not in "".join(words):
        keeps_contract([command, *words], place)


KINDS = {
    "bars": bars_case,
    "config": config_case,
    "weights": weights_case,
    "run": run_case,
    "strategy": strategy_case,
    "flags": flags_case,
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_contract_holds(kind: str, place: Path) -> None:
    """A few dozen cases of each kind."""
    check(KINDS[kind], place, CASES[kind][0])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_contract_holds_thousands_of_times(kind: str, place: Path) -> None:
    """More than ten thousand cases in all."""
    assert sum(many for _, many in CASES.values()) >= 10_000
    check(KINDS[kind], place, CASES[kind][1])
