"""The six fields of bars by name, open to amount, as whoever has them makes a frame of one."""

from __future__ import annotations

from abc import ABC, abstractmethod

import pandas as pd


class FieldFrames(ABC):
    """Fields of many universes by name, one column per universe, or per symbol and universe."""

    @abstractmethod
    def frame(self, name: str) -> pd.DataFrame:
        """One field as a frame, by its name."""

    @property
    def open(self) -> pd.DataFrame:
        """Opens (T, N); of K symbols (T, K N), columns (symbol, universe)."""
        return self.frame("open")

    @property
    def high(self) -> pd.DataFrame:
        """Highs."""
        return self.frame("high")

    @property
    def low(self) -> pd.DataFrame:
        """Lows."""
        return self.frame("low")

    @property
    def close(self) -> pd.DataFrame:
        """Closes; of several symbols `close[symbol]` is the frame (T, N) of one."""
        return self.frame("close")

    @property
    def volume(self) -> pd.DataFrame:
        """Volumes."""
        return self.frame("volume")

    @property
    def amount(self) -> pd.DataFrame:
        """Amounts."""
        return self.frame("amount")
