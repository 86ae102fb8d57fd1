"""How much a device may fill an archive with: what its time explains is free, the rest is bounded.

A packet that is the next of its stream costs nothing as long as there are no more of them than
segments fit into the time between their stamps, which counts once. What else is stored, and what
comes faster than that, draws on an allowance that grows slowly.
"""

from dataclasses import dataclass, field

CAPACITY = 500_000.0
REFILL_PER_S = 10.0
"""As many packets as a gateway lets through, unless it is told otherwise."""
ODD = 500.0
"""Of a restart, a bad packet: a thousand at once, and then one in 50 s."""
PLAIN = 1.0
"""Of a packet without a stamp, of an unknown model, late, or faster than its time: each KB."""
KB = 1024
EXPLAINED = 64.0
"""Packets that a device's time may explain and that did not come, and may come yet."""
TOLERANCE = 1.001
"""By which a device's crystal may run fast."""


@dataclass
class Bucket:
    """Tokens, of which there are new ones all the time."""

    left: float
    at_us: int  # when that was so

    def take(self, price: float, now_us: int, *, capacity: float, refill_per_s: float) -> bool:
        """Take tokens if there are so many; ``capacity`` is what it holds."""
        elapsed = max(0.0, (now_us - self.at_us) / 1e6)
        self.left, self.at_us = min(capacity, self.left + refill_per_s * elapsed), now_us
        if price > self.left:
            return False
        self.left -= price
        return True


@dataclass
class Allowance(Bucket):
    """What a device has left in an archive."""

    left: float = CAPACITY
    at_us: int = 0
    refused: int = 0  # packets since it last had enough
    explained: Bucket = field(default_factory=lambda: Bucket(EXPLAINED, 0))  # by the latest stamp

    def pay(self, price: float, now_us: int) -> bool:
        """Take a price, if there is enough left."""
        paid = self.take(price, now_us, capacity=CAPACITY, refill_per_s=REFILL_PER_S)
        self.refused += not paid
        return paid

    def explains(self, arrival_us: int, period_us: float) -> bool:
        """Whether the time up to a stamp explains one more segment of that length."""
        latest_us = max(arrival_us, self.explained.at_us)
        refill_per_s = TOLERANCE * 1e6 / period_us
        return self.explained.take(1, latest_us, capacity=EXPLAINED, refill_per_s=refill_per_s)


def plain(size: int) -> float:
    """Return the price of a packet of so many bytes that nothing else is odd about."""
    return PLAIN * max(1.0, size / KB)
