"""The accounts of a stored run, made again from its folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import InputError
from stresslab.runs.accounts import stored_run
from tests.make.decided import decided_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stored run."""
    return decided_run(tmp_path_factory.mktemp("accounts"))


def test_accounts_are_those_of_the_run(run: Path) -> None:
    """Final equity is the total return that the run stored, universe by universe."""
    found = stored_run(run)
    (accounts,) = found.accounts().values()
    stored = pd.read_parquet(run / "metrics.parquet")["total_return"].to_numpy()
    np.testing.assert_allclose(accounts.by_name["generated"].equity[-1] - 1, stored, atol=1e-9)


def test_the_posterior_is_that_of_the_run(run: Path) -> None:
    """Made again from its evidence, it has the stored mean and ends, and the losses that follow are the stored ones."""
    found = stored_run(run)
    (one,) = found.strategies
    edge = one.result.edge
    assert edge is not None
    assert edge.posterior is not None
    assert edge.losses is not None
    assert one.posterior is not None
    assert one.posterior.mean == pytest.approx(edge.posterior.mean, rel=1e-12)
    assert one.posterior.interval().low == pytest.approx(edge.posterior.low, rel=1e-9)
    (accounts,) = found.accounts().values()
    loss = (accounts.by_name["supported"].equity[-1] < 1).mean()
    assert loss == pytest.approx(edge.losses.supported.probability_of_loss.value)


def test_another_strategy_is_refused(run: Path) -> None:
    """A name that the run does not have is named with those it has."""
    with pytest.raises(InputError, match="both_ways"):
        stored_run(run, ["other"])
