"""How much a device may fill an archive with: what its time explains is free, the rest is bounded.

A packet that is the next of its stream, at the time that its number says, costs nothing: there can
be no more of them than time goes by. What else is stored draws on an allowance that grows slowly.
"""

from dataclasses import dataclass

MOST = 100_000.0
A_SECOND = 2.0
ODD = 100.0
"""Of a restart, a bad packet: a thousand at once, and then one in 50 s."""
PLAIN = 1.0
"""Of a packet without a stamp, of an unknown model, or late."""


@dataclass
class Allowance:
    """What a device has left."""

    left: float = MOST
    at_us: int = 0  # when that was so
    refused: int = 0  # packets since it last had enough

    def pay(self, price: float, now_us: int) -> bool:
        """Take a price, if there is enough left."""
        elapsed = max(0.0, (now_us - self.at_us) / 1e6)
        self.left, self.at_us = min(MOST, self.left + A_SECOND * elapsed), now_us
        if price > self.left:
            self.refused += 1
            return False
        self.left -= price
        return True
