"""An amount that is known only between two bounds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """An amount, and how little and how much it may be; in whatever unit."""

    low: float = 0.0
    middle: float = 0.0
    high: float = 0.0

    def __add__(self, other: Band) -> Band:
        """Both together; bounds add up, as if both erred the same way."""
        return Band(self.low + other.low, self.middle + other.middle, self.high + other.high)

    def times(self, factor: float) -> Band:
        """So many of it."""
        return Band(self.low * factor, self.middle * factor, self.high * factor)

    def rounded(self, digits: int) -> Band:
        """As it is written down."""
        return Band(round(self.low, digits), round(self.middle, digits), round(self.high, digits))


def about(amount: float, factor: float) -> Band:
    """From a `factor`th of the amount to `factor` times it."""
    return Band(amount / factor, amount, amount * factor)
