"""One universe of a stored run again: its bars, and what each strategy did in them, bar by bar.

Universe i of a seed is the same whatever was sampled beside it, so nothing else is sampled.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stresslab.backtest import Terms, buy_and_hold
from stresslab.backtest.bar_records import bar_by_bar
from stresslab.backtest.evaluate import evaluate
from stresslab.core.errors import InputError
from stresslab.core.safe_files import report_damage_of
from stresslab.core.whole_files import staged
from stresslab.data.bars import CLOSE, FIELDS, OPEN
from stresslab.data.origin import split_at_origin
from stresslab.data.universes import Universes
from stresslab.report.charts.candles import bars_chart
from stresslab.report.charts.chart import stamp_texts
from stresslab.report.charts.images import file_name, picture
from stresslab.report.formats.text import LONGEST_NAME, table
from stresslab.report.wording import clean, number, percent, shortened
from stresslab.runs.rerun import compared
from stresslab.runs.restore import finished
from stresslab.strategy import load_strategies


@dataclass(frozen=True, eq=False)
class Replay:
    """One universe of a run.

    Attributes:
        universe: its bars, after the run's history.
        accounts: by strategy, T rows: time stamp, the columns of `backtest.bar_records`, and the value of buy and hold.
        measures: one row per strategy, as in `metrics.parquet`.
        terms: of the accounts.
        same: whether the measures are those that the run stored, up to `TOLERANCE`.
        differences: what is not as it was when the run was stored.
    """

    universe: Universes
    accounts: Mapping[str, pd.DataFrame]
    measures: pd.DataFrame
    terms: Terms
    same: bool
    differences: tuple[str, ...]

    @property
    def number(self) -> int:
        """The universe's id."""
        return int(self.universe.ids[0])

    def __str__(self) -> str:
        """What became of the price and of each account, and whether that is what the run stored."""
        bars, stamps = self.universe, stamp_texts(self.universe.timestamps)
        first, last = float(bars.values[0, 0, OPEN]), float(bars.values[0, -1, CLOSE])
        lines = [
            f"Universe {self.number:,} of {clean(bars.history.symbol)}: {bars.horizon:,} bars from {stamps[0]} to "
            f"{stamps[-1]}; the price moves {percent(last / first - 1, signed=True)}.",
            "",
        ]
        rows = [
            [
                shortened(clean(str(row["strategy"])), LONGEST_NAME),
                *(percent(row[name], signed=True) for name in ("total_return", "excess_return")),
                percent(-row["max_drawdown"]),
                percent(row["exposure"]),
                f"{row['trades']:,.0f}",
                number(row["sharpe"]),
            ]
            for _, row in self.measures.iterrows()
        ]
        headings = ["Strategy", "Return", "Over buy and hold", "Deepest drawdown", "In the market", "Trades", "Sharpe"]
        lines += [*table(headings, rows, left=1), ""]
        agreement = "the same measures as in the run" if self.same else "not the measures of the run"
        return "\n".join([*lines, agreement, *(f"since then: {one}" for one in self.differences)])

    def save(self, folder: Path, tear_sheets: bool = False) -> tuple[list[Path], list[str]]:
        """Write the bars, and of each strategy its account and picture.

        All files are written whole, or none.

        Args:
            folder: is there.
            tear_sheets: write one of each account too, by quantstats.

        Returns:
            The files, and why a tear sheet is missing: quantstats has none of an account that never moves.
        """
        universe, written, missing = f"universe-{self.number}", [], list[str]()
        bars = pd.DataFrame(self.universe.values[0], index=self.universe.timestamps, columns=list(FIELDS))
        stamps = stamp_texts(self.universe.timestamps.insert(0, self.universe.history.timestamps[-1]))
        with staged(folder) as partial:
            written.append(f"{universe}.csv")
            bars.to_csv(partial / written[0], index_label="timestamp")
            for at, (name, account) in enumerate(self.accounts.items(), 1):
                stem = f"{universe}-{at}-{file_name(name)}"
                account.to_csv(partial / f"{stem}.csv", index=False)
                title = f"{name} in universe {self.number:,}"
                chart = bars_chart(account, stem, title, self.terms.init_cash, stamps)
                (partial / f"{stem}.png").write_bytes(picture(chart, "png", title=title))
                written += [f"{stem}.csv", f"{stem}.png"]
                why = self._tear_sheet(account, title, partial / f"{stem}.html") if tear_sheets else "not wanted"
                if not why:
                    written.append(f"{stem}.html")
                elif tear_sheets:
                    missing.append(f"no tear sheet of {clean(name)}: {why}")
        return [folder / name for name in written], missing

    def _tear_sheet(self, account: pd.DataFrame, title: str, path: Path) -> str:
        """Write a tear sheet; why there is none, where quantstats cannot make it."""
        if (account["equity"] == self.terms.init_cash).all():
            return "its account never moves"
        try:
            _write_tear_sheet(account, self.terms, self.universe.history.periods_per_year, title, path)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # LinAlgError is a ValueError
            path.unlink(missing_ok=True)
            span = account["timestamp"].iloc[-1] - account["timestamp"].iloc[0]
            reason = " ".join(str(error).split())
            days = "1 day" if span.days == 0 else f"{span.days + 1} days"
            return f"quantstats makes none of {len(account):,} bars in {days} ({shortened(reason, 120)})"
        return ""


def replay(
    run: str | Path,
    universe: int,
    strategies: Sequence[str] = (),
    *,
    jobs: int = 1,
    model: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Replay:
    """One universe of a stored run, and its strategies in it.

    Args:
        run: folder of the run.
        universe: its id.
        strategies: names; all of the run's where there are none.
        jobs: workers of the generator.
        model: where Kronos' weights are now, if not where the run's settings say.
        progress: called with (stage, done, total).

    Raises:
        InputError: the run has no such universe or strategy, or its bars, strategies or weights have changed.
    """
    was = finished(Path(run), jobs, model)
    with report_damage_of(Path(run)):
        known = was.metrics["universe"]
        if universe not in set(known):
            raise InputError(
                f"universe={universe} is none of {run}, which has results in {known.nunique():,}, {known.min()} to "
                f"{known.max()}; choose one of them"
            )
        stored = was.metrics[known == universe].set_index("strategy", drop=False)
    settings = was.settings
    history, _ = split_at_origin(was.bars, settings.origin, settings.horizon)
    terms = settings.terms()
    loaded = load_strategies(
        list(settings.strategies), settings.param, settings.grid, patience=settings.strategy_timeout
    )
    there = [one.name for one in loaded]
    for name in strategies:
        if name not in there:
            raise InputError(f"strategy {name!r} is none of {run}; choose among {', '.join(there)}")
    chosen = [one for one in loaded if not strategies or one.name in strategies]
    if progress is not None:
        progress("sampling", 0, 1)
    made = was.generator.sample(history, settings.horizon, universe + 1, settings.seed, ids=[universe], jobs=jobs)
    if progress is not None:
        progress("sampling", 1, 1)
    held = buy_and_hold(made, terms).equity[1:, 0]
    accounts, rows = {}, []
    for one in chosen:
        accounts[one.name] = bar_by_bar(one, made, terms).assign(held=held)
        accounts[one.name].insert(0, "timestamp", made.timestamps)
        (found,) = evaluate([one], made, terms, periods_per_year=history.periods_per_year)
        rows.append(found.metrics.reset_index(names="universe").assign(strategy=one.name))
    measures = pd.concat(rows, ignore_index=True)
    with report_damage_of(Path(run)):
        measures = measures[list(stored.columns)]
        _, beyond, _ = compared(stored.loc[list(accounts)].reset_index(drop=True), measures)
    return Replay(made, accounts, measures, terms, beyond == 0, was.differences)


def check_tear_sheets() -> None:
    """Refuse, before any work is done, where quantstats is missing.

    Raises:
        InputError: it is not installed.
    """
    if importlib.util.find_spec("quantstats") is None:
        raise InputError("a tear sheet needs quantstats, which is not installed; pip install quantstats")


def _write_tear_sheet(account: pd.DataFrame, terms: Terms, periods_per_year: float, title: str, path: Path) -> None:
    """Quantstats' page of an account beside buy and hold, annualised by the number of bars in a year."""
    import quantstats

    values = account.set_index("timestamp")[["equity", "held"]] / terms.init_cash
    returns = values.pct_change().fillna(values.iloc[:1] - 1)
    fonts = logging.getLogger("matplotlib.font_manager")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # of pandas and matplotlib, about quantstats' own code
        fonts.addFilter(_silent)
        try:
            quantstats.reports.html(  # type: ignore[no-untyped-call] # quantstats is not typed
                returns["equity"], returns["held"], rf=terms.risk_free, output=str(path), title=title,
                benchmark_title="buy and hold", periods_per_year=round(periods_per_year),
            )  # fmt: skip
        finally:
            fonts.removeFilter(_silent)


def _silent(record: logging.LogRecord) -> bool:
    return False
