"""The table of generators: names as on the command line, settings checked, nothing imported early."""

import subprocess
import sys

import pytest

from stresslab.core.errors import InputError
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.garch import Garch
from stresslab.generators.registry import GENERATORS, as_generator, make_generator, settings_of


def test_names_make_generators():
    """The names of the command line make the generators, with their settings."""
    assert {"kronos", "bootstrap", "garch"} <= set(GENERATORS)
    assert make_generator("bootstrap", block=20.0) == StationaryBootstrap(block=20.0)
    assert make_generator("garch") == Garch()
    assert settings_of("bootstrap") == ("block", "context", "dependence")


def test_unknown_names_and_settings_are_refused():
    """A wrong name lists the right ones, a setting of another generator lists its own."""
    with pytest.raises(InputError, match="choose one of kronos, bootstrap, garch"):
        make_generator("prophet")
    with pytest.raises(InputError, match=r"temperature=0.8 is not .* bootstrap; its settings are block, context"):
        make_generator("bootstrap", temperature=0.8)


def test_a_generator_or_its_name():
    """A name means its defaults, a generator itself; a class and what makes no universes are refused."""
    own = StationaryBootstrap(block=7.0)
    assert as_generator(own) is own
    assert as_generator("garch") == Garch()
    with pytest.raises(InputError, match=r"write Garch\(\)"):
        as_generator(Garch)
    with pytest.raises(InputError, match=r"generator=3 makes no universes; give one of kronos, bootstrap, garch"):
        as_generator(3)


def test_a_bootstrap_needs_no_torch():
    """Making the resampling generators imports neither torch nor vectorbt."""
    code = (
        "import sys; from stresslab.generators.registry import make_generator;"
        "make_generator('bootstrap'); make_generator('garch');"
        "assert not {'torch', 'vectorbt', 'arch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
