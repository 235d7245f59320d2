"""An account that is held to rules, watched bar by bar as a person would."""

from __future__ import annotations

from stresslab.metrics.account_rules import NEVER, AccountRules, EquityInBars


def by_hand(equity: EquityInBars, rules: AccountRules, universe: int) -> tuple[str, int, float]:
    """One account, bar by bar, as a person would watch it."""
    start = peak_close = peak_any = last = 1.0
    day, days, finished = -1, 0, []
    for bar in range(len(equity.close)):
        close, low, high = (one[bar, universe] for one in (equity.close, equity.low, equity.high))
        if equity.day[bar] != day:
            if day >= 0:
                finished.append(last - start)
            day, days, start = equity.day[bar], days + 1, last
        if rules.daily_loss is not None and low <= start - rules.daily_loss:
            return "daily_loss", bar, days
        peak_any = max(peak_any, high)
        peak = {"static": 1.0, "close": peak_close, "intrabar": peak_any}[rules.trailing]
        if rules.maximum_loss is not None and low <= peak - rules.maximum_loss:
            return "maximum_loss", bar, days
        if rules.maximum_days is not None and days > rules.maximum_days:
            return "maximum_days", bar, days
        reached = rules.profit_target is not None and close >= 1 + rules.profit_target and days >= rules.minimum_days
        if reached and rules.consistency is not None:
            reached = max([*finished, close - start]) <= rules.consistency * (close - 1)
        if reached:
            return "passed", bar, days
        peak_close, last = max(peak_close, close), close
    return "open", NEVER, float("nan")
