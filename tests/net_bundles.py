"""Small bundles of networks without a codec: ``python -m tests.net_bundles`` makes them.

``branches`` streams: three channels in, a residual addition, two outputs of different lengths.
``two_inputs`` needs the layers engine.
"""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tflite

from tests.caching import ROOT
from tests.codegen.tflite_builder import INT32, OPS, ModelBuilder, TensorSpec

NET_BUNDLES = ROOT / "tests" / "data" / "net_bundles"
PADDING_SAME = tflite.Padding.SAME


class PlainNet:
    """A network that grows layer by layer, its weights drawn."""

    def __init__(self, seed: int):
        self.model = ModelBuilder()
        self.rng = np.random.default_rng(seed)

    def activation(self, name: str, steps: int, channels: int, scale: float) -> int:
        return self.model.tensor(TensorSpec(name, (1, 1, steps, channels), scales=(scale,)))

    def conv(
        self, name: str, source: int, steps: int, shape: tuple[int, int, int], stride: int = 1
    ) -> int:
        """Add a convolution of [channels, kernel, in_channels]; return its output."""
        channels, kernel, inputs = shape
        scales = tuple(float(value) for value in self.rng.uniform(0.004, 0.02, channels))
        weights = self.rng.integers(-127, 128, (channels, 1, kernel, inputs)).astype(np.int8)
        bias = self.rng.integers(-400, 400, channels).astype(np.int32)
        none = (0,) * channels
        from_scale = self.model.tensors[source].scales[0]
        of_bias = tuple(from_scale * scale for scale in scales)
        filters = self.model.tensor(
            TensorSpec(f"{name}/w", weights.shape, scales=scales, zero_points=none, data=weights)
        )
        added = self.model.tensor(
            TensorSpec(f"{name}/b", (channels,), INT32, of_bias, none, data=bias)
        )
        made = self.activation(name, steps, channels, 0.06)
        self.model.op(
            OPS.CONV_2D, [source, filters, added], [made],
            Padding=PADDING_SAME, StrideW=stride, StrideH=1,
            DilationWFactor=1, DilationHFactor=1,
        )  # fmt: skip
        return made

    def add(self, name: str, sources: list[int], steps: int, channels: int) -> int:
        made = self.activation(name, steps, channels, 0.09)
        self.model.op(OPS.ADD, sources, [made])
        return made


def branches() -> bytes:
    """Return the streaming network."""
    net = PlainNet(1)
    start = net.activation("motion", 24, 3, 0.05)
    left = net.conv("left", start, 24, (4, 3, 3))
    right = net.conv("right", left, 24, (4, 1, 4))
    both = net.add("both", [left, right], 24, 4)
    half = net.conv("half", both, 12, (2, 5, 4), stride=2)
    net.model.inputs, net.model.outputs = [start], [both, half]
    return net.model.build()


def two_inputs() -> bytes:
    """Return the network of two inputs."""
    net = PlainNet(2)
    first = net.activation("left ear", 16, 2, 0.05)
    second = net.activation("right ear", 16, 2, 0.04)
    both = net.add("both", [first, second], 16, 2)
    out = net.conv("heard", both, 16, (3, 3, 2))
    net.model.inputs, net.model.outputs = [first, second], [out]
    return net.model.build()


def main() -> None:
    """Import both, over those that are there."""
    from dynadeep.export.importing import ImportOptions, import_network

    with TemporaryDirectory() as folder:
        for make in (branches, two_inputs):
            path = Path(folder) / f"{make.__name__}.tflite"
            path.write_bytes(make())
            out = NET_BUNDLES / make.__name__
            shutil.rmtree(out, ignore_errors=True)
            report = import_network(path, out, ImportOptions(count=3, rate_hz=100))
            sys.stdout.write(f"{out}: {report.model_id}\n")


if __name__ == "__main__":
    main()
