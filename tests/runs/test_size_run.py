"""Sizes of a stored run: every number of the page again, by plain loops over the accounts that it kept."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest

from stresslab.report.wording import percent, share
from stresslab.runs.decision_settings import SizeSettings
from stresslab.runs.size_run import size_run
from tests.make.decided import decided_run
from tests.make.intervals import score_interval
from tests.make.pages import Page

LIMIT = "P(drawdown > 4%) <= 20%"


@pytest.fixture(scope="module")
def sized(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any], Any]:
    """Page, figures and accounts."""
    folder = tmp_path_factory.mktemp("sized")
    run = decided_run(folder)
    found = size_run(SizeSettings.of({"run": str(run), "limit": LIMIT}))
    page, facts, accounts = found.save(folder, accounts=True)
    return page.read_text(), json.loads(facts.read_text())["both_ways"], np.load(accounts)


def by_hand(accounts: Any, side: str, size: float, universe: int) -> tuple[list[float], bool]:
    """The equity of one universe at a size, bar by bar, and whether the lender closed it."""
    own, low = accounts[f"0/{side}/equity"][:, universe], accounts[f"0/{side}/low"][:, universe]
    held = accounts["0/position"][:, universe]
    path = [1.0]
    for bar in range(len(low)):
        start = own[bar]
        earned, worst = own[bar + 1] / start - 1, min(low[bar], own[bar + 1]) / start - 1
        value = size * (abs(held[bar]) + math.copysign(1, held[bar]) * worst)
        if held[bar] != 0 and 1 + size * worst <= 0.25 * max(value, 0.0):
            return path + [path[-1] * max(0.0, 1 + size * worst)] * (len(low) - bar), True
        interest = 0.06 / 252 * (max(size * abs(held[bar]) - 1, 0) - max(abs(held[bar]) - 1, 0))
        path.append(path[-1] * max(0.0, 1 + size * earned - max(interest, 0.0)))
    return path, False


@pytest.mark.parametrize("side", ["generated", "without", "supported"])
def test_every_row_is_that_of_a_loop(sized: tuple[str, dict[str, Any], Any], side: str) -> None:
    """Growth, losses, drawdowns, margin calls and ruin at each size."""
    _, facts, accounts = sized
    count = accounts["0/position"].shape[1]
    for row in [*facts["sides"][side]["rows"], *facts["sides"][side]["fractions"].values()]:
        found = [by_hand(accounts, side, row["size"], universe) for universe in range(count)]
        finals = [path[-1] for path, _ in found]
        deepest = [max(1 - path[at] / max(path[: at + 1]) for at in range(len(path))) for path, _ in found]
        deep = [fall > 0.04 or called for fall, (_, called) in zip(deepest, found, strict=True)]
        hits = {
            "loss": [final < 1 for final in finals],
            "drawdown": deep,
            "margin_call": [called for _, called in found],
            "ruin": [final <= 0 for final in finals],
        }
        for name, hit in hits.items():
            expected = (np.mean(hit), *score_interval(sum(hit), count))
            assert tuple(row[name][part] for part in ("value", "low", "high")) == pytest.approx(expected)
        assert row["median_return"] == pytest.approx(np.median(finals) - 1)
        assert row["growth"] == pytest.approx(np.mean(np.log(finals)) * 252 / 30)


def test_the_largest_size_and_kelly_are_those_of_a_loop(sized: tuple[str, dict[str, Any], Any]) -> None:
    """No size a little larger keeps the limit, and none grows faster than Kelly's."""
    _, facts, accounts = sized
    side, count = facts["sides"]["supported"], accounts["0/position"].shape[1]

    def deep(size: float) -> float:
        found = [by_hand(accounts, "supported", size, universe) for universe in range(count)]
        falls = [max(1 - path[at] / max(path[: at + 1]) for at in range(len(path))) for path, _ in found]
        return float(np.mean([fall > 0.04 or called for fall, (_, called) in zip(falls, found, strict=True)]))

    def growth(size: float) -> float:
        return float(np.mean([np.log(by_hand(accounts, "supported", size, at)[0][-1]) for at in range(count)]))

    assert deep(side["largest"]["size"]) <= 0.2 < deep(side["largest"]["size"] + 0.001)
    for end, of in (("low", 1), ("high", 0)):  # sizes at which an end of the probability's interval meets the limit
        at = side["largest"][end]
        below, above = (score_interval(round(deep(size) * count), count)[of] for size in (at, at + 0.001))
        assert below <= 0.2 < above
    best = side["kelly"]["value"]
    others = [growth(size) for size in (0.0, max(0.0, best - 0.05), best + 0.05)]
    assert growth(best) >= max(others) - 1e-9
    assert side["kelly"]["low"] <= best <= side["kelly"]["high"]


def test_the_page_shows_these_figures(sized: tuple[str, dict[str, Any], Any]) -> None:
    """Each row stands on the page, and so does the answer."""
    page, facts, _ = sized
    shown = re.search(r"Up to ([0-9.]+)x its own size", page)
    assert shown is not None
    assert 0 <= facts["sides"]["supported"]["largest"]["size"] - float(shown[1]) < 0.01  # never a larger one
    words = " ".join(Page(page).text.split())
    for side in facts["sides"].values():
        for row in side["rows"]:
            loss, deep = row["loss"], row["drawdown"]
            figures = [percent(row["growth"], signed=True), percent(row["median_return"], signed=True)]
            assert " ".join([f"{row['size']:g}x", *figures]) in words
            for found in (loss, deep):
                assert f"{share(found['low'])} to {share(found['high'])}" in words
