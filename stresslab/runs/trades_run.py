"""A list of trades from its file to a page: bars, universes and the study, with what was decided recorded."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import field_validator

from stresslab.core.cache import Cache
from stresslab.core.errors import InputError
from stresslab.runs.decision_settings import SIZE_LIMIT
from stresslab.runs.limit_settings import LimitSettings
from stresslab.runs.setting import BARS, COMMON, COSTS, RUN, STRATEGY, setting
from stresslab.runs.settings import SOURCES, UniverseConfig

if TYPE_CHECKING:
    from stresslab.analysis.result_trades import TradeStudy
    from stresslab.analysis.trade_study import TradePlan

Progress = Callable[[str, int, int], None]


class TradeSettings(UniverseConfig):
    """The settings of `stresslab trades`."""

    data: str = setting(COMMON, "SOURCE", f"Bars of the market that was traded: {SOURCES}.")
    trades: str = setting(
        COMMON, "LIST", "Closed trades: of TradingView, MetaTrader 4 or 5 (HTML, CSV), NinjaTrader, freqtrade (JSON), "
        "backtesting.py, or a CSV with a row each.",
    )  # fmt: skip
    sizes: str = setting(COMMON, "LIMIT", "On a drawdown, that the largest size shall keep.", SIZE_LIMIT)
    limits: dict[str, Any] | None = setting(
        COMMON, "FILE", "YAML file of limits and account rules, or a preset's name.", None
    )
    out: str | None = setting(COMMON, "DIR", "Folder to write the page to; none by default.", None, decides=False)
    shift: float = setting(
        BARS, "HOURS", "Hours to add to the list's times, where its clock is not that of the bars.", 0.0, ge=-48, le=48
    )
    init_cash: float | None = setting(
        COMMON, "CASH", "What the account began with; by default the least that pays for every position in full.", None,
        gt=0.0, allow_inf_nan=False,
    )  # fmt: skip
    trials: float | None = setting(
        STRATEGY, "N", "Variants that were tried before this one was kept, itself included; 20 are assumed.", None, ge=1
    )
    permutations: int = setting(STRATEGY, "N", "Random orders of the real bars.", 999, ge=19, le=100_000)
    block: float | None = setting(
        STRATEGY, "TRADES", "Mean length of a block of resampled trades; the cube root of their number by default.",
        None, ge=1.0,
    )  # fmt: skip
    accounts: int = setting(RUN, "N", "Accounts of resampled trades.", 2000, ge=100, le=100_000)
    fees: float = setting(COSTS, "FRACTION", "Fee of the same exposure in universes.", 0.0005, ge=-0.01, lt=1.0)
    slippage: float = setting(COSTS, "FRACTION", "Slippage of the same exposure in universes.", 0.0005, ge=0.0, lt=1.0)

    @field_validator("sizes")
    @classmethod
    def _on_a_drawdown(cls, text: str) -> str:
        from stresslab.analysis.sizes import SizePlan

        SizePlan.of(text)
        return text

    @field_validator("limits", mode="before")
    @classmethod
    def _read_limits(cls, given: Any) -> Any:
        return None if given is None else LimitSettings.read(given).model_dump(mode="json", exclude_unset=True)

    def plan(self) -> TradePlan:
        """What is asked of the list."""
        from stresslab.analysis.edge import Trials
        from stresslab.analysis.sizes import SizePlan
        from stresslab.analysis.trade_study import TradePlan
        from stresslab.backtest.costs import Costs

        return TradePlan(
            SizePlan.of(self.sizes),
            None if self.limits is None else LimitSettings.read(self.limits).plan(),
            Costs(self.fees, self.slippage),
            Trials.of(1.0, self.trials),
            self.block,
            self.permutations,
            self.accounts,
            self.horizon,
            self.seed,
        )


@dataclass(frozen=True, eq=False)
class TradesRun:
    """A studied list.

    Attributes:
        study: what was found.
        title: the list and its market.
        config: the settings, as they are recorded.
        digests: SHA-256 of the trades and of the bars.
    """

    study: TradeStudy
    title: str
    config: dict[str, object]
    digests: dict[str, str]

    def __str__(self) -> str:
        """Answers, tables and defects, for a terminal."""
        from stresslab.report.formats.text import table, wrapped
        from stresslab.report.sections.trades import defects_sentence, headlines, list_rows, trade_tables

        blocks = [[self.title], *(wrapped(line, first="", hanging=2) for line in headlines(self.study))]
        blocks.append(table(("", ""), [list(row) for row in list_rows(self.study)], left=2)[1:])
        for one in trade_tables(self.study)[1:]:
            if one.open:
                rows = [[cell.split("\n")[0] for cell in row] for row in one.rows]
                blocks.append([one.title, *table(list(one.headings), rows, left=1, indent="  ")])
        blocks.append(wrapped(defects_sentence(self.study), first="", hanging=2))
        blocks += [wrapped(f"note: {notice}", first="", hanging=6) for notice in self.study.notices]
        return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks)

    def to_dict(self) -> dict[str, object]:
        """Everything as plain JSON."""
        return {"config": self.config, "digests": self.digests, **self.study.to_dict()}

    def page(self) -> str:
        """The page."""
        from stresslab.report.formats.decision_page import DecisionPage, PageSection, render_decision
        from stresslab.report.sections.trades import defects_sentence, headlines, trade_tables

        section = PageSection(
            "trades", "What the list says", trade_tables(self.study), headlines(self.study),
            [defects_sentence(self.study), *self.study.notices],
        )  # fmt: skip
        stamp = f"seed {self.config['seed']} · trades {self.digests['trades'][:12]} · bars {self.digests['bars'][:12]}"
        return render_decision(DecisionPage("trades", self.title, self.study.listed.form, [section], stamp=stamp))

    def save(self, folder: Path) -> list[Path]:
        """Write figures and page; both, or none."""
        from stresslab.core.whole_files import staged

        with staged(folder) as partial:
            (partial / "trades.html").write_text(self.page(), encoding="utf-8")
            text = json.dumps(self.to_dict(), indent=1, allow_nan=False)
            (partial / "trades.json").write_text(text + "\n", encoding="utf-8")
        return [folder / "trades.html", folder / "trades.json"]


def trades_run(settings: TradeSettings, given: Collection[str] = (), progress: Progress | None = None) -> TradesRun:
    """Study a list of trades with the bars of its market.

    Args:
        settings: which list, which bars, which universes.
        given: names of settings that were given; one that the generator does not take is refused.
        progress: called with (stage, done, total).

    Raises:
        InputError: the list or the bars cannot be used, or do not belong to each other.
    """
    from stresslab.analysis.trade_bars import lay_over
    from stresslab.analysis.trade_study import trade_study
    from stresslab.data.market_index import symbols_of
    from stresslab.data.origin import split_at_origin
    from stresslab.data.sources.trade_files import load_trades
    from stresslab.runs.cached import cached

    plan, trades, bars = settings.plan(), load_trades(settings.trades), settings.bars()
    if len(symbols_of(bars)) > 1:
        raise InputError(f"`data` names {len(symbols_of(bars))} symbols; give the bars of the one that was traded")
    on_bars = lay_over(trades.moved(settings.shift) if settings.shift else trades, bars, settings.init_cash)
    generator = cached(settings.make_generator(given), Cache.of_user())
    history, _ = split_at_origin(bars, settings.origin or "end", settings.horizon)
    said = progress or (lambda stage, done, total: None)
    said("sampling", 0, settings.universes)
    jobs = settings.jobs or os.cpu_count() or 1
    universes = generator.sample(history, settings.horizon, settings.universes, settings.seed, jobs=jobs)
    said("sampling", settings.universes, settings.universes)
    study = trade_study(on_bars, universes, settings.generator, plan, progress)
    title = f"Trades: {Path(settings.trades).name} on {bars.symbol}"
    return TradesRun(study, title, settings.recorded(), {"trades": trades.digest(), "bars": bars.digest})
