"""Which words of a sentence a text hangs on, as a page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from training.playground.models import Explanation


@dataclass(frozen=True)
class Shade:
    """One word as it is shown: its share of all weights in percent, and how dark it is, 0 to 4."""

    word: str
    percent: int
    level: int

    @property
    def shown(self) -> str:
        """Such as +12 or −5, so that nothing hangs on colours."""
        return f"+{self.percent}" if self.percent > 0 else str(self.percent).replace("-", "−")


def shades_of(explanation: Explanation) -> list[Shade]:
    """The words of the sentence in their order; none until it is finished."""
    total = sum(map(abs, explanation.weights)) or 1.0
    most = max(map(abs, explanation.weights), default=0.0) or 1.0
    return [
        Shade(word.strip(), round(100 * weight / total), ceil(4 * abs(weight) / most - 0.5))
        for word, weight in zip(explanation.words, explanation.weights, strict=False)
    ]
