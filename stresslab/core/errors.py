"""The errors that stresslab raises: each message is one line that names the value, the rule and the remedy.

How an error becomes text on a terminal and an exit code is decided once, in `stresslab.cli`.
"""


class StresslabError(Exception):
    """Any error raised on purpose by stresslab."""


class InputError(StresslabError):
    """Something the user gave is wrong: a flag, a file, a setting (exit code 2)."""


class DataError(InputError):
    """Bars that cannot be read or that break a rule."""


class StrategyError(InputError):
    """A strategy file that cannot be loaded, or that fails while it decides."""


class StrategyLimitError(StrategyError):
    """A strategy whose call takes more time or memory than it may."""


class LookAheadError(StrategyError):
    """A strategy whose decisions change when later bars are taken away."""


class CheckpointError(InputError):
    """Model weights that are missing, damaged or of another shape than their config says."""


class InterruptedRunError(StresslabError):
    """A run that was stopped and can be started again (exit code 3)."""
