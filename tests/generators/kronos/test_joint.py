"""Several symbols from Kronos: each one's law as alone, dependence between them, and the same universe everywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market import Market
from stresslab.generators.base import Generator
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.garch import Garch
from stresslab.generators.kronos import joint
from stresslab.generators.kronos.generator import Kronos
from stresslab.generators.kronos.joint import PILOT_HISTORY
from stresslab.metrics.dependence import spearman
from tests.generators.kronos.cases import case
from tests.make.markets import make_market

LEVELS = str(case("within_context").folder)
MARKET = make_market(count=300)


def returns(joint: JointUniverses) -> np.ndarray:
    """Log returns (N, T, K)."""
    last = np.broadcast_to(joint.history.values[None, :, -1:, 3], (len(joint), len(joint.symbols), 1))
    return np.diff(np.log(np.concatenate([last, joint.values[..., 3]], axis=2)), axis=2).transpose(0, 2, 1)


@pytest.fixture(params=["levels", "returns", "bootstrap", "garch"])
def generator(request: pytest.FixtureRequest, tiny: Path) -> Generator:
    """Every generator."""
    made = {"bootstrap": StationaryBootstrap(block=3), "garch": Garch()}
    return made.get(request.param) or Kronos(LEVELS if request.param == "levels" else str(tiny))


def test_one_symbol_is_sampled_as_ever(generator: Generator) -> None:
    """A market of one symbol has, byte for byte, the universes of its bars."""
    alone = generator.sample(MARKET["S0"], 12, 70, seed=5)
    joint = generator.sample(Market((MARKET["S0"],)), 12, 70, seed=5)
    assert joint.values[:, 0].tobytes() == alone.values.tobytes()


def test_the_same_universe_in_any_batch(generator: Generator) -> None:
    """Universe i of seed s does not depend on how many there are, which are asked for, or how many work on them."""
    whole = generator.sample(MARKET, 8, 130, seed=5)
    some = generator.sample(MARKET, 8, 1000, seed=5, ids=[129, 3], jobs=2)
    np.testing.assert_array_equal(some.values, whole.values[[129, 3]])
    assert not np.array_equal(whole.values, generator.sample(MARKET, 8, 130, seed=6).values)


@pytest.mark.parametrize("generator", [Kronos("nano"), StationaryBootstrap(block=3), Garch()], ids=lambda one: one.name)
@pytest.mark.slow
def test_symbols_move_together(generator: Kronos | StationaryBootstrap | Garch) -> None:
    """Simulated returns correlate about as the real ones did, and not at all where independence is asked for."""
    joint = generator.sample(MARKET, 10, 192, seed=1)
    real = spearman(np.diff(np.log(MARKET.values[:, :, 3]), axis=1).T)
    made = spearman(returns(joint).reshape(-1, 3))
    np.testing.assert_allclose(made, real, atol=0.08)
    apart = replace(generator, dependence="independent").sample(MARKET, 10, 192, seed=1)
    np.testing.assert_allclose(spearman(returns(apart).reshape(-1, 3)), np.eye(3), atol=0.08)


@pytest.mark.parametrize("kind", ["empirical", "student"])
def test_alone_and_in_company_a_symbol_has_one_law(kind: str, tiny: Path) -> None:
    """Returns over the horizon of a symbol alone, and beside others, are not told apart."""
    generator = Kronos(str(tiny), dependence=kind)  # type: ignore[arg-type]
    joint = generator.sample(MARKET, 10, 640, seed=11)
    for position, symbol in enumerate(MARKET.symbols):
        alone = generator.sample(MARKET[symbol], 10, 640, seed=100 + position)
        one = np.log(joint[symbol].values[:, -1, 3])
        assert stats.ks_2samp(one, np.log(alone.values[:, -1, 3])).pvalue > 0.001
        assert stats.ks_2samp(joint[symbol].values[:, 0, 4], alone.values[:, 0, 4]).pvalue > 0.001


def test_progress_counts_universes() -> None:
    """A universe of several symbols is finished once."""
    for made in (StationaryBootstrap(block=3), Kronos(LEVELS)):
        told: list[int] = []
        made.sample(MARKET, 5, 130, progress=told.append)
        assert sum(told) == 130


def test_origins_of_one_market_share_the_pilot(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later bars change the dependence that is fitted, not what the pilot said, which is sampled once."""
    generator, calls = Kronos(str(tiny)), []
    pilot = joint.fidelities
    monkeypatch.setattr(joint, "fidelities", lambda *given: calls.append(1) or pilot(*given))
    long = make_market(symbols=2, count=PILOT_HISTORY + 200)
    early, late = generator.dependence_of(long[: PILOT_HISTORY + 100]), generator.dependence_of(long)
    assert len(calls) == 1
    assert len(late.ranks) == len(early.ranks) + 100
    alone = Kronos(str(tiny)).dependence_of(long)
    assert (alone.ranks == late.ranks).all()
    assert (alone.asked == late.asked).all()


def test_facts_say_how_much_was_seen(tiny: Path) -> None:
    """A study of the context finds how many bars the model saw, as it does of one series."""
    assert (
        Kronos(str(tiny)).sample(MARKET, 5, 2).facts["context"]
        == Kronos(str(tiny)).sample(MARKET["S0"], 5, 2).facts["context"]
    )
