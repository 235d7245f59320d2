"""The common drift: a reference of its own, settled alike for every universe."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stresslab.data.sources.load import load_bars
from stresslab.generators.kronos.common_drift import Surprises, common_drift
from stresslab.generators.kronos.generator import Kronos
from stresslab.generators.kronos.return_features import Returns
from stresslab.generators.kronos.sampler import Sampler
from stresslab.generators.kronos.token_sampling import TokenSampling


def test_what_chance_decided_is_taken_out() -> None:
    """Values that the bits of a token decide are all surprise, to the last part; the mean of a surprise is 0."""
    rng = np.random.default_rng(1)
    bits, count, bars = 4, 64, 40
    surprises, values = Surprises(bits, torch.device("cpu")), np.empty((count, bars, 2))
    for bar in range(bars):
        chances = torch.softmax(torch.from_numpy(rng.normal(size=2**bits)), dim=0).expand(count, -1)
        coarse, fine = (torch.from_numpy(rng.choice(2**bits, size=count, p=chances[0].numpy())) for _ in range(2))
        for tokens in (coarse, fine):
            surprises(tokens, chances.float())
        signs = 2.0 * (coarse.numpy()[:, None] >> np.arange(bits) & 1) - 1
        values[:, bar] = np.column_stack([signs[:, 0], signs[:, 1] * signs[:, 2] + 0.5 * (fine.numpy() & 1)])
    left = values - surprises.of(values)
    assert (left.std(axis=0) < 0.1 * values.std(axis=0) + 0.02).all()


def test_the_reference_is_the_same_for_every_seed() -> None:
    """One history has one common drift; the mean of its universes over many is what takes its place."""
    bars = load_bars("sample:nasdaq", until="2008-06-30")
    nano = Kronos("nano")
    origin = nano._origin(bars, 5, 3)
    returns = nano.checkpoint.representation
    assert isinstance(returns, Returns)

    def drift() -> np.ndarray:
        sampler = Sampler(
            nano.networks, origin.features, origin.marks, horizon=5, max_context=512, choice=TokenSampling(1.0, 0, 1.0)
        )
        found = common_drift(sampler, returns, origin.state)
        assert found is not None
        return found

    first = drift()
    np.testing.assert_array_equal(drift(), first)
    sampled = nano.sample(bars, 5, 512, seed=11)
    opened = np.log(sampled.values[:, 0, 3].astype(np.float64) / bars.values[-1, 3])
    sigma = returns._volatility(origin.state.variances)
    assert opened.mean() / sigma == pytest.approx(0.5 * first[0, 1] + 0.5 * returns.mean[1], abs=4 / np.sqrt(512))


def test_a_model_that_keeps_its_drift_needs_no_reference() -> None:
    """With own_drift at 1 nothing is sampled beside the universes."""
    assert common_drift(None, Returns(own_drift=1.0), None) is None  # type: ignore[arg-type]


@pytest.mark.slow
def test_universes_are_independent() -> None:
    """Over seeds, P(loss) varies as that of independent universes: binomially, within what 400 seeds can tell."""
    bars = load_bars("sample:nasdaq", until="2008-06-30")
    nano, count, seeds = Kronos("nano"), 64, 400
    lost = np.array(
        [
            (universes.values[:, -1, 3] < bars.values[-1, 3]).sum()
            for universes in nano.sample_many([bars] * seeds, 10, count, list(range(seeds)))
        ]
    )
    share = lost.mean() / count
    ratio = lost.var(ddof=1) / (count * share * (1 - share))
    assert abs(ratio - 1) < 3 * np.sqrt(2 / (seeds - 1))
