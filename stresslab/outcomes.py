"""What strategies come to in a shard of universes, computed where the shard is sampled; universes need not be kept.

A task is small and travels; what it returns is a row per universe and counts for the fans: what a report needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from stresslab.backtest import Terms
from stresslab.data.bars import FIELDS
from stresslab.evaluation import evaluate
from stresslab.execution import Ids
from stresslab.sampling import SampleTask
from stresslab.statistics.sketch import Sketch
from stresslab.strategy import Strategy
from stresslab.universes import Universes

CLOSE = FIELDS.index("close")


@dataclass(frozen=True, eq=False)
class Outcome:
    """What strategies come to in n universes.

    Attributes:
        metrics: of each strategy, (n,) rows by universe id, one column per measure.
        equity: of each strategy, the equity at each of T + 1 times.
        closes: the universes' closes at each of T bars.
        repaired: bars that had to be repaired.
    """

    metrics: tuple[pd.DataFrame, ...]
    equity: tuple[Sketch, ...]
    closes: Sketch
    repaired: int

    @classmethod
    def merged(cls, parts: Sequence[Outcome]) -> Outcome:
        """The outcome in all universes, in the order given; of the fans the order does not matter."""
        count = range(len(parts[0].metrics))
        return cls(
            tuple(pd.concat([part.metrics[at] for part in parts]) for at in count),
            tuple(Sketch.merged([part.equity[at] for part in parts]) for at in count),
            Sketch.merged([part.closes for part in parts]),
            sum(part.repaired for part in parts),
        )


@dataclass(frozen=True, eq=False)
class ShardTask:
    """Sample a shard of universes and run strategies in them: a function of their ids alone.

    Attributes:
        sample: what is sampled.
        strategies: each meets every universe.
        terms: of the accounts.
        chunk: universes at a time.
    """

    sample: SampleTask
    strategies: tuple[Strategy, ...]
    terms: Terms
    chunk: int = 1024

    def __call__(self, ids: Ids) -> Outcome:
        """The outcome in these universes."""
        values, facts = self.sample(ids)
        history = self.sample.history
        stamps = history.calendar.future(history.timestamps, self.sample.horizon)
        universes = Universes(values, stamps, history, ids, facts)
        found = evaluate(self.strategies, universes, self.terms, jobs=1, keep_equity=True, chunk=self.chunk)
        equity = tuple(Sketch.of(one.equity) for one in found if one.equity is not None)
        closes = Sketch.of(values[:, :, CLOSE].T)
        return Outcome(tuple(one.metrics for one in found), equity, closes, int(facts.get("repaired_bars", 0)))
