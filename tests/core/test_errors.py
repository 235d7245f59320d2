"""Errors keep their kind and their line wherever they are raised."""

from __future__ import annotations

import pickle

import pytest

from stresslab.core import errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]
STOPPED = {errors.StresslabError, errors.InterruptedRunError}
"""What is not the user's input: its exit code is not 2."""


@pytest.mark.parametrize("kind", KINDS)
def test_only_mistakes_of_the_user_are_input_errors(kind: type[Exception]) -> None:
    """Whoever catches `StresslabError` catches them all; whoever catches `InputError`, every mistake of the user's."""
    assert issubclass(kind, errors.StresslabError)
    assert issubclass(kind, errors.InputError) == (kind not in STOPPED)


def test_a_strategy_that_looks_ahead_or_takes_too_long_is_a_strategy_error() -> None:
    """A run goes on without a strategy that fails, in whichever of these ways."""
    failing = {kind for kind in KINDS if issubclass(kind, errors.StrategyError)}
    assert failing == {errors.StrategyError, errors.StrategyLimitError, errors.LookAheadError}


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_comes_out_of_a_worker_as_it_was(kind: type[Exception]) -> None:
    """Processes hand errors on as pickles: kind and line arrive."""
    arrived = pickle.loads(pickle.dumps(kind("fees=2 is no fraction; give say 0.001")))
    assert type(arrived) is kind
    assert str(arrived) == "fees=2 is no fraction; give say 0.001"
