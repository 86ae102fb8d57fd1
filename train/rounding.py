"""Values as int8 holds them, with the gradient passed on: what training does to know of it.

Fake quantisation, as the exporter quantises: activations by one range a tensor, weights by one
range a filter. A tensor's range is that of the batch; the exporter's is that of some 200 windows.
"""

import torch
from torch import Tensor
from torch.nn import functional

STEPS = 255
LEAST_STEP = 1e-12
"""Of a tensor that is constant."""

SIGMOID_STEPS = 256
"""Of the unit: TFLite's LOGISTIC has no other output."""

NEGATIVE_ENDS = (-12.0, -10.0, -8.0, -7.0, -6.0, -5.0, -4.0, -3.5, -3.0, -2.5, -2.0)
"""Where the negative tail before a SiLU may be cut; SiLU(-3) is -0.14, its least -0.28 at -1.28."""

TRIED = 20_000
"""Values of a tensor, at most, by which its negative end is chosen."""


def rounded(codes: Tensor) -> Tensor:
    """Round codes to 256 values over their range in the batch."""
    low, high = codes.detach().float().aminmax()
    step = _step(low, high)
    return _passed_on(codes, (codes.detach() / step).round() * step)


def rounded_weights(weight: Tensor) -> Tensor:
    """Round filters [F, ...], each to 255 values about zero."""
    detached = weight.detach()
    largest = detached.abs().amax(dim=tuple(range(1, detached.ndim)), keepdim=True)
    step = (largest / 127).clamp(min=LEAST_STEP)
    return _passed_on(weight, (detached / step).round() * step)


def rounded_values(values: Tensor) -> Tensor:
    """Round a tensor to the 256 codes of its range, 0 among them."""
    detached = values.detach()
    return _passed_on(values, _in_codes(detached, *detached.aminmax()))


def rounded_silu(values: Tensor) -> Tensor:
    """Return SiLU of values as the device has it: rounded before, in its sigmoid, and behind.

    Where the values before it may end on the negative side is chosen as the exporter does: so that
    what comes out has the least squared error.
    """
    detached = values.detach()
    low, high = detached.aminmax()
    end = _negative_end(detached.flatten(), low, high)
    coarse = _coarse_silu(detached, end, high)
    exact = functional.silu(values.clamp(min=float(end)))
    return _passed_on(exact, _in_codes(coarse, *coarse.aminmax()))


def _negative_end(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return the lowest value to represent; that of all values, or one of ``NEGATIVE_ENDS``."""
    some = values[:: -(-len(values) // TRIED)]
    exact = functional.silu(some)
    ends = [low, *(low.new_tensor(end) for end in NEGATIVE_ENDS if end > low)]
    return min(ends, key=lambda end: float((_coarse_silu(some, end, high) - exact).square().mean()))


def _coarse_silu(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    codes = _in_codes(values, low, high)
    gate = (torch.sigmoid(codes) * SIGMOID_STEPS).round().clamp(0, SIGMOID_STEPS - 1)
    return codes * gate / SIGMOID_STEPS


def _in_codes(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return values as the 256 codes of a range have them; the range is widened to hold 0."""
    low, high = low.clamp(max=0), high.clamp(min=0)
    step = _step(low, high)
    zero = (-low / step).round()
    return (((values / step).round() + zero).clamp(0, STEPS) - zero) * step


def _step(low: Tensor, high: Tensor) -> Tensor:
    return ((high - low) / STEPS).clamp(min=LEAST_STEP)


def _passed_on(exact: Tensor, coarse: Tensor) -> Tensor:
    """Return ``coarse``, with the gradient of ``exact``."""
    return exact + (coarse - exact).detach()
