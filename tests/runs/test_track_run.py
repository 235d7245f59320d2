"""Tracking of a stored run: every number of the page again, by plain numpy from what is kept beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import InputError
from stresslab.data.sources.load import load_bars
from stresslab.report.wording import UNDEFINED, number, percent, share
from stresslab.runs.decision_settings import TrackSettings
from stresslab.runs.track_run import TrackedRun, new_bars, track_run
from tests.make.bars import make_bars
from tests.make.decided import decided_run
from tests.make.pages import Page

AGAINST = """def weights(bars, window=20):
    above = bars.close > bars.close.rolling(window).mean()
    return 1.0 - 2.0 * above
"""
"""A rule that its run expects an edge of, so that all six monitors have something to watch."""
ASKED = {"account": 0.01, "price": 0.0075, "volatility": 0.0075, "edge": 0.015, "wilder": 0.005, "calmer": 0.005}
"""Probability of a false alarm that each monitor is meant to have; 5% together."""
BARS = 20


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A run that ends at its last bar, a file with twenty bars more, and a folder for what is kept."""
    folder = tmp_path_factory.mktemp("tracked")
    run = decided_run(folder, "--origin", "end", code=AGAINST)
    whole = make_bars(720)
    known = load_bars(str(folder / "bars.csv"))
    scale = known.values[-1, 3] / whole.values[699, 3]
    frame = whole.frame.iloc[700:].copy()
    frame[["open", "high", "low", "close"]] *= scale
    later = pd.concat([known.frame, frame])
    later.to_csv(folder / "later.csv", index_label="date")
    (folder / "kept").mkdir()
    return run, folder / "later.csv", folder / "kept"


def looked(place: tuple[Path, Path, Path], **more: Any) -> TrackedRun:
    """The run against the later bars."""
    run, later, kept = place
    return track_run(run, TrackSettings.of({"runs": [str(run)], **more}), kept, str(later))


def moved(place: tuple[Path, Path, Path], folder: Path, factor: float) -> tuple[Path, Path, Path]:
    """The same with later bars whose moves from the run's last close are so many times as large, by their logarithm."""
    frame = load_bars(str(place[1])).frame
    prices = ["open", "high", "low", "close"]
    last = float(frame["close"].iloc[699])
    values = frame[prices].to_numpy(copy=True)
    values[700:] = last * (values[700:] / last) ** factor
    frame[prices] = values
    frame.to_csv(folder / "moved.csv", index_label="date")
    return place[0], folder / "moved.csv", place[2]


@dataclass(frozen=True, eq=False)
class Kept:
    """What numbers are made again from: kept curves (T, N), and closes before and after the run's last bar."""

    closes: np.ndarray
    equity: np.ndarray
    claimed: np.ndarray
    past: np.ndarray
    path: np.ndarray
    account: np.ndarray

    @classmethod
    def of(cls, place: tuple[Path, Path, Path], account: np.ndarray) -> Kept:
        """Of the folder and the file with the new bars; the account is that of the strategy on these."""
        with np.load(place[2] / "reference.npz") as content:
            curves = [content[name].astype(float) for name in ("closes", "equity-0", "claimed-0")]
        closes = pd.read_csv(place[1])["close"].to_numpy()
        return cls(*curves, np.diff(np.log(closes[199:700])), closes[700:] / closes[699], account)

    def volatility(self, moves: np.ndarray, half_life: int) -> np.ndarray:
        """(t + 1,) before each bar of t log returns and after the last, from the weighted squares of all before."""
        decay = 0.5 ** (1 / half_life)
        weights = decay ** np.arange(500)[::-1]
        squares = [float((weights * self.past**2).sum() / weights.sum())]
        for move in moves:
            squares.append(decay * squares[-1] + (1 - decay) * move**2)
        return np.sqrt(squares)

    def sizes(self, closes: np.ndarray) -> np.ndarray:
        """(t,) size of each move over the slow volatility before it."""
        moves = np.diff(np.log(np.concatenate([[1.0], closes])))
        return np.abs(moves) / self.volatility(moves, 60)[:-1]

    def gains(self, equity: np.ndarray, closes: np.ndarray) -> np.ndarray:
        """(t,) return of the account over each bar over the market's volatility before it."""
        moves = np.diff(np.log(np.concatenate([[1.0], closes])))
        return (equity / np.concatenate([[1.0], equity[:-1]]) - 1) / self.volatility(moves, 20)[:-1]

    def curves(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(T, N) curves that a band is drawn around, and the (t,) path that shall stay in it."""
        if name == "account":
            return np.log(self.equity), np.log(self.account)
        if name == "price":
            return np.log(self.closes), np.log(self.path)
        logs = np.diff(np.log(self.closes), axis=0, prepend=0.0)
        after = np.transpose([self.volatility(moves, 20)[1:] for moves in logs.T])
        return np.log(after), np.log(self.volatility(np.diff(np.log([1.0, *self.path])), 20)[1:])

    def bets(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Wealth (T, N) of bets in the universes and (t,) on what followed, on each value's place among all of them."""
        if name == "edge":
            pairs = zip(self.claimed.T, self.closes.T, strict=True)
            own, live = np.transpose([self.gains(*pair) for pair in pairs]), self.gains(self.account, self.path)
        else:
            own, live = np.transpose([self.sizes(closes) for closes in self.closes.T]), self.sizes(self.path)
        sign, pool = (1 if name == "wilder" else -1), own.ravel()

        def wealth(values: np.ndarray) -> np.ndarray:
            below = np.array([(pool < value).sum() + (pool == value).sum() / 2 for value in values])
            places = (below + 0.5) / (len(pool) + 1)
            stakes = (0.1, 0.2, 0.4, 0.8, 1.2, 1.6)
            return np.mean([np.cumprod(1 + stake * sign * (places - 0.5)) for stake in stakes], axis=0)

        return np.transpose([wealth(values) for values in own.T]), wealth(live)


def band(curves: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges (T,) that all but so many of the (T, N) curves stay inside throughout, counted one by one."""
    low, middle, high = np.quantile(curves, [0.025, 0.5, 0.975], axis=1)
    spread = curves.std(axis=1)
    roots = np.sqrt(np.arange(1, len(curves) + 1) / len(curves))
    above, below = (
        np.maximum(np.maximum(one, spread), 0.1 * one.max() * roots + 1e-9) for one in (high - middle, middle - low)
    )
    worst = [
        max(max((one[at] - middle[at]) / above[at], (middle[at] - one[at]) / below[at]) for at in range(len(one)))
        for one in curves.T
    ]
    critical = sorted(worst)[-max(int(alpha * (len(worst) + 1)), 1)]
    return middle - critical * below, middle + critical * above


def threshold(wealth: np.ndarray, alpha: float) -> float:
    """What the wealth of all but so many universes stays at or below throughout, and 1/alpha at least."""
    return max(1 / alpha, sorted(wealth.max(axis=0))[-max(int(alpha * (wealth.shape[1] + 1)), 1)])


def first(reached: np.ndarray, stamps: list[str]) -> str | None:
    """Date of the first bar of those at which something is so."""
    return next((stamp for stamp, so in zip(stamps, reached, strict=True) if so), None)


FACTORS = {"as they came": 1.0, "larger": 3.0, "far larger": 15.0, "far smaller": 0.02}


@pytest.mark.parametrize("factor", FACTORS.values(), ids=FACTORS)
def test_every_monitor_is_that_of_plain_numpy(place: tuple[Path, Path, Path], tmp_path: Path, factor: float) -> None:
    """Value, band or threshold, first alarm, and whether it is near one: of all six, from kept curves and bars."""
    place = moved(place, tmp_path, factor)
    run = looked(place)
    found, kept = run.states["both_ways"], Kept.of(place, run.lives["both_ways"].equity)
    stamps = pd.read_csv(place[1])["date"].tolist()[700:]
    by_name = {one.name: one for one in found.monitors}
    assert set(by_name) == set(ASKED)
    near = {}
    for name in ("account", "price", "volatility"):
        curves, path = kept.curves(name)
        shown = np.exp if name == "volatility" else np.expm1
        low, high = (edge[:BARS] for edge in band(curves, ASKED[name]))
        inner_low, inner_high = (edge[BARS - 1] for edge in band(curves, 5 * ASKED[name]))
        one, expected = by_name[name], shown([path[-1], low[-1], high[-1]])
        assert (one.value, one.low, one.high) == pytest.approx(tuple(expected), rel=1e-6)
        assert one.alarm == first((path < low) | (path > high), stamps)
        near[name] = bool(path[-1] < inner_low or path[-1] > inner_high)
        assert one.alpha == pytest.approx(1 / 121)  # the one of 120 universes and what followed that is most extreme
    for name in ("edge", "wilder", "calmer"):
        own, live = kept.bets(name)
        high, one = threshold(own, ASKED[name]), by_name[name]
        assert (one.value, one.high, one.low) == (pytest.approx(live[-1]), pytest.approx(high), None)
        assert one.alarm == first(live > high, stamps)
        near[name] = bool(live[-1] >= threshold(own, 5 * ASKED[name]))
        assert one.alpha == pytest.approx(max(ASKED[name], 1 / 121))
    assert {one.name: one.drifting for one in found.monitors} == near
    assert found.since == min((one.alarm for one in found.monitors if one.alarm), default=None)
    assert found.state == ("outside" if found.since else "drifting" if any(near.values()) else "inside")
    assert found.false_alarms == pytest.approx(sum(one.alpha for one in found.monitors))


def test_what_followed_and_the_claim_are_those_of_the_files(place: tuple[Path, Path, Path]) -> None:
    """Bars, changes, the edge expected, and the share of universes as extreme, by their sorted ranks."""
    run = looked(place)
    found, kept = run.states["both_ways"], Kept.of(place, run.lives["both_ways"].equity)
    stamps = pd.read_csv(place[1])["date"].tolist()[700:]
    assert (found.bars, found.horizon, found.first, found.last) == (BARS, 30, stamps[0], stamps[-1])
    assert found.price_change == pytest.approx(kept.path[-1] - 1)
    assert found.account_return == pytest.approx(kept.account[-1] - 1)
    facts = json.loads((place[0] / "result.json").read_text())["strategies"][0]
    assert found.claimed == pytest.approx(facts["edge"]["posterior"]["mean"])
    joined = np.column_stack([kept.equity[:BARS], kept.account])
    ranks = [
        sorted(int(min((row <= row[at]).sum(), (row >= row[at]).sum())) for row in joined)
        for at in range(joined.shape[1])
    ]
    assert found.as_extreme == pytest.approx(np.mean([one <= ranks[-1] for one in ranks]))


def test_the_fan_is_of_the_runs_own_universes(place: tuple[Path, Path, Path]) -> None:
    """Where the run ended at its last bar, the kept closes are those of the paths that it stored."""
    looked(place)
    with np.load(place[2] / "reference.npz") as content:
        closes = content["closes"].astype(float)
    paths = pd.read_parquet(place[0] / "paths.parquet")
    closes *= pd.read_csv(place[1])["close"][699]
    for at in range(30):
        assert closes[:, at] == pytest.approx(paths[f"path_{at}"].to_numpy(), rel=1e-6)


def test_the_account_is_that_of_a_loop(place: tuple[Path, Path, Path]) -> None:
    """Short above the mean of twenty closes and long below, filled at the next open with the run's costs."""
    _, later, _ = place
    found = looked(place).lives["both_ways"].equity
    bars = load_bars(str(later)).frame
    closes, opens = bars["close"].to_numpy(), bars["open"].to_numpy()
    means = pd.Series(closes).rolling(20).mean().to_numpy()
    cash, units, last = 1.0, 0.0, 0.0
    for at in range(700, 720):
        wanted = 1.0 - 2.0 * (closes[at - 1] > means[at - 1])
        if wanted != last:
            value = cash + units * opens[at]
            change = wanted * value / opens[at] - units
            fill = opens[at] * (1 + 0.0005 * np.sign(change))
            if change > 0:
                change = min(change, (cash + max(0.0, 0.0)) / (fill * 1.0005)) if wanted > 0 else change
            cash -= change * fill + abs(change) * fill * 0.0005
            units, last = units + change, wanted
        assert found[at - 700] == pytest.approx(cash + units * closes[at], rel=2e-4)


def test_the_page_shows_these_numbers(place: tuple[Path, Path, Path]) -> None:
    """State, returns and the share that is as extreme stand on the page; the history has a line for each look."""
    _, _, kept = place
    run = looked(place)
    page, state, history = run.save(kept)
    found = run.states["both_ways"]
    words = Page(page.read_text()).text
    assert f"{found.bars} of 30 bars since the run" in words
    assert f"the account made {percent(found.account_return, signed=True)}" in words
    assert f"{share(found.as_extreme)} of universes are at least as extreme" in words
    before = len(history.read_text().splitlines())
    assert json.loads(state.read_text())["strategies"]["both_ways"]["state"] == found.state
    looked(place).save(kept)
    assert len(history.read_text().splitlines()) == before + 1


def test_every_row_and_picture_of_the_page_is_that_of_plain_numpy(place: tuple[Path, Path, Path]) -> None:
    """What a reader sees of each monitor, and of each bar in the three pictures, by the same arrays."""
    run = looked(place)
    page, *_ = run.save(place[2])
    kept = Kept.of(place, run.lives["both_ways"].equity)
    words = Page(page.read_text()).text
    stored = page.read_text().split('<script type="application/json" class="hover">')[1:]
    account, price, evidence = (json.loads(one.split("</script>")[0])["series"] for one in stored)
    for name, drawn in (("account", account), ("price", price)):
        curves, path = kept.curves(name)
        low, high = np.expm1(band(curves, ASKED[name]))
        ends = [f"{percent(a, signed=True)} to {percent(b, signed=True)}" for a, b in zip(low, high, strict=True)]
        shown = [percent(one, signed=True) for one in np.expm1(path)]
        middle = [percent(one, signed=True) for one in np.expm1(np.median(curves, axis=1))]
        assert [one["text"][1:] for one in drawn] == [shown + [""] * 10, middle, ends]
        row = " ".join([shown[-1].removeprefix("+"), percent(low[BARS - 1]), percent(high[BARS - 1]), "inside"])
        assert f"{name} inside its band {row}" in words
    curves, path = kept.curves("volatility")
    low, high = (float(np.exp(edge[BARS - 1])) for edge in band(curves, ASKED["volatility"]))
    row = " ".join(percent(one) for one in (float(np.exp(path[-1])), low, high))
    assert f"volatility of a bar inside its band {row} inside" in words
    labels = {"edge": "that the edge is gone", "wilder": "of larger moves", "calmer": "of smaller moves"}
    assert [one["name"] for one in evidence] == list(labels.values())
    for (name, label), drawn_line in zip(labels.items(), evidence, strict=True):
        own, live = kept.bets(name)
        high = threshold(own, ASKED[name])
        assert drawn_line["text"] == [f"{number(one)} of {number(high)}" for one in live]
        more = "" if name == "edge" else " than the universes'"
        assert f"evidence {label}{more} {number(live[-1])} {UNDEFINED} {number(high)} inside" in words
    assert words.count("Inside throughout: 99.2% of paths stay in the outer band") == 2  # 120 of 121
    asked = share(3 / 121 + max(0.015, 1 / 121) + 2 * max(0.005, 1 / 121))
    assert f"any alarm over the whole horizon has a probability of at most {asked}" in words


def test_what_is_kept_gives_the_same(place: tuple[Path, Path, Path]) -> None:
    """A second look reads the curves, a first one samples them; damage makes them again."""
    _, _, kept = place
    second = looked(place).states
    (kept / "reference.npz").write_bytes(b"cut short")
    assert looked(place).states == second


def test_before_there_are_bars_no_universes_are_sampled(place: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """The run's own bars say nothing: no universes are made or kept, and page and state say so."""
    sampled: list[str] = []
    asked, known = TrackSettings.of({"runs": [str(place[0])]}), str(place[1].parent / "bars.csv")
    run = track_run(place[0], asked, tmp_path, known, lambda stage, *_: sampled.append(stage))
    assert [(one.bars, one.monitors, one.false_alarms) for one in run.states.values()] == [(0, (), None)]
    assert sampled == []
    run.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.jsonl", "track.html", "track.json"]
    page = Page((tmp_path / "track.html").read_text()).text
    assert f"No bars yet after {run.stamps[0]}, the last that the run knew" in page


def test_an_account_of_ones_own_takes_the_strategys_place(place: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """Its equity is what is watched."""
    _, later, _ = place
    stamps = load_bars(str(later)).timestamps[699:]
    (tmp_path / "account.csv").write_text(
        "time,equity\n" + "".join(f"{stamp.date()},{1000 * 0.97**at}\n" for at, stamp in enumerate(stamps))
    )
    found = looked(place, equity=str(tmp_path / "account.csv")).states["both_ways"]
    assert found.account_return == pytest.approx(0.97**20 - 1)
    assert found.state == "outside"


def test_bars_that_do_not_go_on_are_refused(place: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """Prices that were adjusted since are named."""
    _, later, _ = place
    bars = load_bars(str(later))
    (bars.frame * 2).to_csv(tmp_path / "other.csv", index_label="date")
    with pytest.raises(InputError, match="adjusted since"):
        new_bars(bars[:700], str(tmp_path / "other.csv"), 30)
    assert len(new_bars(bars, str(later), 30)) == 0
