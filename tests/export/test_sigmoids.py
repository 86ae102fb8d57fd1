"""TFLite and TFLite-Micro compute the same sigmoid at the scales that an export ends with."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynadeep.codegen.bundle import ENCODER_TFLITE
from dynadeep.export import flatbuffer, sigmoids
from dynadeep.export.errors import QuantizationError

DISPUTED = np.float32(0.091256455)
"""With zero point -73 one of the 256 codes is rounded apart; found in a trained network."""


def quantization_of(model: Any, name: str) -> Any:
    tensors = model.subgraphs[0].tensors
    return next(t.quantization for t in tensors if t.name.decode() == name)


@pytest.fixture
def disputed(bundle: Path) -> bytes:
    model = flatbuffer.parse((bundle / ENCODER_TFLITE).read_bytes())
    parameters = quantization_of(model, "conv5/conv")
    parameters.scale, parameters.zeroPoint = np.array([DISPUTED]), np.array([-73], np.int64)
    return flatbuffer.pack(model)


def agreed(content: bytes, layer: str) -> bool:
    model = flatbuffer.parse(content)
    names = [tensor.name.decode() for tensor in model.subgraphs[0].tensors]
    index = names.index(f"{layer}/sigmoid")
    operator = next(op for op in model.subgraphs[0].operators if op.outputs[0] == index)
    scale = np.float32(quantization_of(model, f"{layer}/conv").scale[0])
    return sigmoids._agree(sigmoids._alone(model, operator, scale))


def test_a_disputed_scale_moves_until_both_runtimes_agree(disputed: bytes) -> None:
    assert not agreed(disputed, "conv5")
    settled = sigmoids.settle_sigmoids(disputed)
    assert agreed(settled, "conv5")
    scale = quantization_of(flatbuffer.parse(settled), "conv5/conv").scale[0]
    assert DISPUTED < scale < 1.001 * DISPUTED


def test_scales_that_are_agreed_on_stay(bundle: Path) -> None:
    content = (bundle / ENCODER_TFLITE).read_bytes()
    assert sigmoids.settle_sigmoids(content) == content


def test_runtimes_that_never_agree_are_named(
    disputed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sigmoids, "STEPS", 1)
    with pytest.raises(QuantizationError, match=r"conv5/conv .*TFLite-Micro"):
        sigmoids.settle_sigmoids(disputed)
