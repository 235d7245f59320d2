"""What trading costs, as fractions of the traded value; the engine charges them."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass, fields
from typing import Any

from stresslab.errors import InputError


@dataclass(frozen=True)
class Costs:
    """Proportional costs of every fill: a round trip costs about twice their sum.

    Attributes:
        fees: fraction of the traded value paid to broker and exchange.
        slippage: fraction by which the fill is worse than the open: bought higher, sold lower.
    """

    fees: float = 0.0005
    slippage: float = 0.0005

    def __post_init__(self) -> None:
        """Refuse what is not a fraction."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not (_is_number(value) and 0 <= value < 1):
                meant = value if _is_number(value) and 1 <= value < 100 else 0.05
                raise InputError(
                    f"{field.name}={value} is not a fraction in [0, 1); for {meant:g}% write {meant / 100:g}"
                )


def _is_number(value: Any) -> bool:
    """Whether it is a finite number, of Python or numpy; True and False are not meant as 1 and 0."""
    return not isinstance(value, bool) and isinstance(value, numbers.Real) and math.isfinite(value)
