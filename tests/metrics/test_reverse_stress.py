"""Reverse stress: paths made to crash, bleed, swing or go wild are called so, from either side of the market."""

from __future__ import annotations

import json

import numpy as np
import pytest

from stresslab.core.errors import InputError
from stresslab.metrics.reverse_stress import GROUPS, Rules, groups_of, path_features, reverse_stress

NAMES = list(GROUPS)


def market(seed: int = 0, count: int = 400, bars: int = 120) -> np.ndarray:
    """Log returns of calm universes (N, T)."""
    return 0.01 * np.random.default_rng(seed).normal(size=(count, bars))


def events() -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Returns and positions of five universes with one event each among calm ones, and their names."""
    returns, position = market(), np.ones((120, 400))
    returns -= returns.mean(axis=1, keepdims=True)  # without the events all end where they began
    returns[0, 50:53] -= 0.05
    returns[1, 40:60] *= 3
    returns[2] -= 1.8 * 0.01 / np.sqrt(120)
    position[::10, 3] = 0
    returns[4] += 1.8 * 0.01 / np.sqrt(120)
    return returns, position, ["crash", "volatility burst", "slow bleed", "whipsaw", "other"]


def closes(returns: np.ndarray) -> np.ndarray:
    """Closes (N, T+1) from 100."""
    return 100 * np.exp(np.cumsum(np.pad(returns, ((0, 0), (1, 0))), axis=1))


def test_events_have_their_names() -> None:
    """Each of the made events is recognised."""
    returns, position, names = events()
    assert groups_of(path_features(closes(returns), position))[:5].tolist() == names


def test_the_short_side_sees_the_mirror() -> None:
    """Short positions on mirrored markets have the same features, so a squeeze is a short's crash."""
    returns, position, _ = events()
    long, short = path_features(closes(returns), position), path_features(closes(-returns), -position)
    for name in ("sudden", "volatility", "net", "efficiency", "changes"):
        assert getattr(short, name) == pytest.approx(getattr(long, name)), name


def test_features_by_hand() -> None:
    """A straight line is efficient, moves a sigma times the root of its bars for every sigma, and changes no side."""
    returns = np.vstack([np.full(16, 0.01), 0.01 * np.resize([1, -1], 16), 0.02 * np.resize([1, -1], 16)])
    position = np.vstack([np.resize([1, 0], 16), np.ones(16), np.resize([1, -1], 16)]).T
    found = path_features(closes(returns), position)
    assert found.efficiency == pytest.approx([1, 0, 0])
    assert found.net == pytest.approx([0.16 / 0.04, 0, 0])
    assert found.changes.tolist() == [15, 0, 15]
    assert found.volatility == pytest.approx([1, 1, 2])


def test_shares_add_up_and_representatives_belong() -> None:
    """The worst are shared out among the groups, and so are all universes; medoids are worst universes of theirs."""
    returns, position, names = events()
    totals = np.exp((position.T * returns).sum(axis=1)) - 1
    totals[:5] = [-0.5, -0.4, -0.3, -0.2, -0.45]
    ids = np.arange(400) + 1000
    found = reverse_stress(closes(returns), position, totals, ids, worst=5 / 400)
    assert sum(group.of_worst for group in found) == pytest.approx(1)
    assert sum(group.of_universes.value for group in found) == pytest.approx(1)
    assert {group.name: group.representatives for group in found} == {n: (1000 + k,) for k, n in enumerate(names)}
    assert found[0].of_worst == max(group.of_worst for group in found)
    crash = next(group for group in found if group.name == "crash")
    assert crash.broken.value == pytest.approx(1 / (400 * crash.of_universes.value))
    assert json.dumps([group.to_dict() for group in found], allow_nan=False)


def test_medoid_is_the_most_central() -> None:
    """Of three crashes the middle one stands for them."""
    returns, position = market(1), np.ones((120, 400))
    for universe, depth in enumerate((0.10, 0.12, 0.30)):
        returns[universe] = returns[3]
        returns[universe, 60] -= depth
    totals = np.exp(returns.sum(axis=1)) - 1
    totals[:3] = -0.9
    found = reverse_stress(closes(returns), position, totals, np.arange(400), worst=3 / 400, representatives=2)
    assert found[0].name == "crash"
    assert found[0].representatives[0] == 1


def test_thresholds_are_settings() -> None:
    """Stricter rules leave nothing but the rest; a share that is none is refused."""
    returns, position, _ = events()
    strict = Rules(crash=99, burst=99, bleed=99, whipsaw=999)
    assert set(groups_of(path_features(closes(returns), position), strict)) == {"other"}
    with pytest.raises(InputError, match="for 5% write"):
        reverse_stress(closes(returns), position, np.zeros(400), np.arange(400), worst=5)


def test_one_short_universe_has_a_group() -> None:
    """Horizons below the windows, flat prices and a single universe are no errors."""
    found = reverse_stress(np.full((1, 3), 100.0), np.zeros((2, 1)), [0.0], [7])
    assert found[0].representatives == (7,)
    assert found[0].name in NAMES
