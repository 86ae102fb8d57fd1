"""What a year of ECG costs in the cloud, under two ways to run it.

| | on arrival | on fetch |
|---|---|---|
| archive holds | what was sent | what was sent |
| decoded | everything, once, for a reading by machine | what is fetched |
| vCPUs | whole ones, rented all year | by the second |
| fetched share x | leaves as samples | leaves as samples |

Both pay for ingress and storage of the bytes on the wire. Raw and DEFLATE need no decoder. The
fleet has run for longer than the retention, so that the archive is full. 1 GB is 1e9 bytes.
The reading itself costs the same whatever the codec, and is left out.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from dynadeep.codegen.typed import Reader
from dynadeep.train.errors import DataError
from dynadeep.train.evaluation.outcomes import SEGMENT_SAMPLES

ARRIVAL, FETCH = "on arrival", "on fetch"
MODELS = (ARRIVAL, FETCH)
PRICES_PATH = Path(__file__).with_name("prices.toml")

_HOURS = 365 * 24
_MONTHS = 12
_BYTES_PER_SAMPLE = 2
_GB = 1e9


Amount = Annotated[float, Meta(ge=0, le=1e15)]


@dataclass(frozen=True)
class Prices:
    """The price file: US dollars, and what the fleet sends."""

    source: str
    storage_per_gb_month: Amount
    vcpu_hour: Amount
    ingress_per_gb: Amount
    egress_per_gb: Amount
    beds: Amount
    rate_hz: Amount
    channels: Amount
    retention_months: Amount
    vcpu_ms_per_segment: Amount

    @property
    def raw_gb(self) -> float:
        """What the fleet samples in a year."""
        seconds = _HOURS * 3600
        return self.beds * self.rate_hz * self.channels * _BYTES_PER_SAMPLE * seconds / _GB

    @property
    def vcpus(self) -> float:
        """How many virtual CPUs are busy when everything is decoded."""
        segments_per_second = self.beds * self.rate_hz * self.channels / SEGMENT_SAMPLES
        return segments_per_second * self.vcpu_ms_per_segment / 1000


@dataclass(frozen=True)
class Codec:
    """What is sent: its gain in bytes with a 95 % interval, and whether it takes the decoder."""

    name: str
    gain: float
    gain_low: float
    gain_high: float
    decoded: bool


def read_prices(path: Path = PRICES_PATH) -> Prices:
    """Read a price file. Raises DataError where a price is missing, or is not one."""
    reader = Reader(str(path), DataError, f"Compare it with {PRICES_PATH}.")
    entries = reader.toml(reader.content(path))
    for table in ("prices", "fleet", "decoder"):
        part = entries.pop(table, {})
        entries |= part if isinstance(part, dict) else {table: part}
    return reader.read(Prices, entries)


def yearly(prices: Prices, model: str, gain: float, share: float, *, decoded: bool) -> float:
    """Return US dollars a year at a gain in bytes, for a fetched share from 0 to 1."""
    if model not in MODELS:
        raise ValueError(f"model {model!r} is not one of {MODELS}")
    sent_gb = prices.raw_gb / gain
    stored_gb = sent_gb * prices.retention_months / _MONTHS
    cost = sent_gb * prices.ingress_per_gb
    cost += stored_gb * prices.storage_per_gb_month * _MONTHS
    cost += prices.raw_gb * share * prices.egress_per_gb
    if not decoded:
        return cost
    vcpus = math.ceil(prices.vcpus) if model == ARRIVAL else prices.vcpus * share
    return cost + vcpus * _HOURS * prices.vcpu_hour
