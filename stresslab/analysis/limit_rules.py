"""Limits as people write them: "P(drawdown > 20%) <= 5%", "VaR 95 <= 15%", "P(pass) >= 50%"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stresslab.core.errors import InputError

RULES = ("daily_loss", "maximum_loss", "maximum_days")
"""Account rules that may be broken."""
_NUMBER = r"(?P<{}>\d+(?:\.\d+)?)(?P<{}>\s*%)?"
_FORM = re.compile(
    r"^\s*(?:"
    rf"P\(\s*drawdown\s*>\s*{_NUMBER.format('depth', 'depth_unit')}\s*\)"
    r"|P\(\s*(?P<event>loss|ruin|pass|daily[ _]loss|maximum[ _]loss|maximum[ _]days)\s*\)"
    r"|(?P<tail>VaR|ES)\s*(?P<level>\d+(?:\.\d+)?)"
    rf")\s*(?P<side><=|>=)\s*{_NUMBER.format('bound', 'bound_unit')}\s*$",
    re.IGNORECASE,
)
EXAMPLES = "write for example P(drawdown > 20%) <= 5%, P(loss) <= 30%, VaR 95 <= 15%, ES 97.5 <= 25%, P(pass) >= 50%"


@dataclass(frozen=True)
class Limit:
    """One limit.

    Attributes:
        measure: "drawdown", "loss", "ruin", "VaR", "ES", "pass" or the name of an account rule.
        parameter: depth of a drawdown or confidence of a tail, a fraction; None for others.
        most: whether the bound is the most that it may be; otherwise the least.
        bound: a fraction.
    """

    measure: str
    parameter: float | None
    most: bool
    bound: float

    @classmethod
    def parse(cls, text: str) -> Limit:
        """The limit in a text.

        Raises:
            InputError: it is none, or a number cannot be meant.
        """
        found = _FORM.match(str(text))
        if found is None:
            raise InputError(f"limit {text!r} is not known; {EXAMPLES}")
        bound = _fraction(found["bound"], found["bound_unit"], text)
        most = found["side"] == "<="
        if found["depth"]:
            return cls("drawdown", _fraction(found["depth"], found["depth_unit"], text), most, bound)
        if found["tail"]:
            level = float(found["level"])
            confidence = level / 100 if level > 1 else level
            if not 0.5 <= confidence < 1:
                raise InputError(f"limit {text!r}: a confidence of {found['level']} is none; write VaR 95 or ES 97.5")
            return cls("ES" if found["tail"].upper() == "ES" else "VaR", confidence, most, bound)
        return cls(found["event"].lower().replace(" ", "_"), None, most, bound)

    def __str__(self) -> str:
        """The text that `parse` reads."""
        if self.measure == "drawdown":
            name = f"P(drawdown > {100 * (self.parameter or 0.0):.6g}%)"
        elif self.measure in ("VaR", "ES"):
            name = f"{self.measure} {100 * (self.parameter or 0.0):.6g}"
        else:
            name = f"P({self.measure.replace('_', ' ')})"
        return f"{name} {'<=' if self.most else '>='} {100 * self.bound:.6g}%"

    def answer(self, value: float, low: float | None, high: float | None) -> bool | None:
        """Whether an estimate keeps it: True or False where the interval lies on one side, None where it holds it."""
        if low is None or high is None:
            return None
        if self.most:
            return True if high <= self.bound else False if low > self.bound else None
        return True if low >= self.bound else False if high < self.bound else None


def _fraction(digits: str, unit: str | None, text: str) -> float:
    value = float(digits) / (100 if unit else 1)
    if not 0 <= value <= 1:
        raise InputError(f"limit {text!r}: {digits} is not a fraction in [0, 1]; for {digits}% write {digits}%")
    return value
