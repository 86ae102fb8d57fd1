"""Dilated convolutions as converters of Keras write them."""

from collections.abc import Sequence
from dataclasses import dataclass

import tflite
from hypothesis import strategies as st

from tests.graphs.canvas import OPS, VALUES, Canvas
from tests.graphs.draws.convolutions import BIASED, Numbers, narrow, weighted
from tests.graphs.draws.draw import CHANNELS, Draw


@dataclass(frozen=True)
class InBatches:
    """A dilated convolution as Keras makes it of Conv1D: SPACE_TO_BATCH_ND, ..., and back."""

    channels: int
    kernel: int
    dilation: int
    causal: bool
    numbers: Numbers

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        time, channels = canvas.size(at)
        reach = (self.kernel - 1) * self.dilation
        before = reach if self.causal else reach // 2
        more = -(time + reach) % self.dilation
        count = narrow(self.channels or channels, self.kernel * channels * (time + more))
        if count * (time + more) > VALUES:
            return []
        batches = self._to_batches(canvas, at, (before, reach - before + more))
        source = self._four(canvas, batches)
        shape = canvas.four_shape(count, self.kernel, channels)
        constants, codes = weighted(canvas, source, self.numbers, shape, self.kernel * channels)
        convolved = canvas.op(
            OPS.CONV_2D,
            [source, *constants],
            canvas.four_shape(self.dilation, (time + more) // self.dilation, count),
            codes,
            Padding=tflite.Padding.VALID,
        )
        return [self._from_batches(canvas, convolved, (0, more), (time, count))]

    def _to_batches(self, canvas: Canvas, at: int, paddings: tuple[int, int]) -> int:
        time, channels = canvas.size(at)
        steps = (time + sum(paddings)) // self.dilation
        shape = (self.dilation, *canvas.whole_shape(steps, channels)[1:])
        numbers = self._block(canvas, paddings)
        return canvas.moved(OPS.SPACE_TO_BATCH_ND, [at, *numbers], shape)

    def _from_batches(
        self, canvas: Canvas, at: int, crops: tuple[int, int], size: tuple[int, int]
    ) -> int:
        if canvas.form == "1TC":
            batches, _, time, channels = canvas.shape(at)
            shape = (batches, time, channels)
            at = canvas.moved(OPS.SQUEEZE, [at], shape, SqueezeDims=(1,))
        numbers = self._block(canvas, crops)
        return canvas.moved(OPS.BATCH_TO_SPACE_ND, [at, *numbers], canvas.whole_shape(*size))

    def _four(self, canvas: Canvas, at: int) -> int:
        if canvas.form != "1TC":
            return at
        batches, time, channels = canvas.shape(at)
        shape = (batches, 1, time, channels)
        return canvas.moved(OPS.EXPAND_DIMS, [at, canvas.numbers(1)], shape)

    def _block(self, canvas: Canvas, amounts: tuple[int, int]) -> list[int]:
        if canvas.form == "1TC":
            return [canvas.numbers(self.dilation), canvas.numbers(amounts)]
        time = 0 if canvas.form == "1T1C" else 1
        block, both = [1, 1], [(0, 0), (0, 0)]
        block[time], both[time] = self.dilation, amounts
        return [canvas.numbers(*block), canvas.numbers(*both)]


DRAWS: dict[str, st.SearchStrategy[Draw]] = {
    "BATCH_TO_SPACE_ND": st.builds(
        InBatches,
        channels=CHANNELS,
        kernel=st.integers(1, 7),
        dilation=st.integers(2, 6),
        causal=st.booleans(),
        numbers=BIASED,
    ),
}
