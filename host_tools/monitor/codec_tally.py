"""What a codec's packets came to: how often each level was sent, and how much was saved."""

from collections import Counter
from collections.abc import Iterator

from dynadeep.codegen.bundle import Manifest
from dynadeep.host_tools.codec.stream import SAMPLE_BYTES, published_gains
from dynadeep.host_tools.monitor.beat import Bar, Values


class CodecTally:
    """Counts packets of one model."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.levels: Counter[int] = Counter()
        self._names = ("none", *(level.name for level in manifest.levels))
        self._gains = published_gains(manifest)
        self._bytes_in = self._bytes_out = 0

    def add(self, level: int, samples: int, packet_bytes: int) -> None:
        """Take a packet of so many samples."""
        self.levels[level] += 1
        self._bytes_in += SAMPLE_BYTES * samples
        self._bytes_out += packet_bytes

    def name(self, level: int) -> str:
        """Return what a level is called."""
        return self._names[level]

    def millivolts(self, values: Values) -> Values:
        """Return ADC samples in mV."""
        return (values - self.manifest.adc_baseline) / self.manifest.adc_gain

    def bars(self) -> tuple[Bar, ...]:
        """Return how often each level was sent."""
        total = self.levels.total()
        shares = [self.levels[level] / total for level in range(len(self._names))]
        return tuple(
            Bar(name, share, f"{self.levels[level]:,} ({share:.0%})")
            for level, (name, share) in enumerate(zip(self._names, shares, strict=True))
        )

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield how much was saved."""
        yield "byte CG", f"{self._bytes_in / self._bytes_out:.2f}"
        gain = sum(self._gains[level] * count for level, count in self.levels.items())
        yield "mean CG (published)", f"{gain / self.levels.total():.2f}"
        yield "bytes", f"{self._bytes_in:,} in, {self._bytes_out:,} out"

    def totals(self) -> dict[str, object]:
        """Return the same as plain data."""
        return {
            "segments": self.levels.total(),
            "levels": {name: self.levels[level] for level, name in enumerate(self._names)},
            "bytes_in": self._bytes_in,
            "bytes_out": self._bytes_out,
            "byte_cg": self._bytes_in / self._bytes_out if self._bytes_out else None,
        }
