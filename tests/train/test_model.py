import pytest
import torch
from torch import Tensor, nn

from dynadeep.train.baseline import CAE
from dynadeep.train.encoder import SharedEncoder
from dynadeep.train.layers import ConvSiLU, parameter_count, start_glorot, start_interpolating
from dynadeep.train.levels import NAMED
from dynadeep.train.model import DynamicDeep

# Paper 1.2: filters, samples after the layer, and parameters with normalisation.
LAYERS = {
    "conv1": (8, 2000, 32),
    "conv2": (16, 1000, 400),
    "conv3": (8, 1000, 136),
    "conv4": (32, 1000, 1312 + 128),
    "conv5": (64, 500, 10304),
    "conv6": (32, 500, 2080),
    "conv7": (16, 500, 1552),
    "conv8": (32, 250, 1568),
    "conv9": (16, 250, 528 + 64),
    "conv10": (32, 250, 5664),
    "conv11": (64, 125, 14400),
    "conv12": (64, 125, 4160),
    "conv13": (32, 125, 14368),
    "conv14": (64, 62, 10304),
    "conv15": (32, 62, 2080),
    "latent32": (1, 62, 225),
    "branch64": (64, 31, 14400),
    "latent64": (1, 31, 193),
}


def shapes_by_layer(network: nn.Module, x: Tensor) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for name, layer in network.named_children():
        layer.register_forward_hook(lambda _l, _i, out, name=name: shapes.update({name: out.shape}))
    network(x)
    return shapes


def multiply_accumulates(network: nn.Module, x: Tensor) -> int:
    counts: list[int] = []

    def count(layer: nn.Module, _inputs: object, output: Tensor) -> None:
        assert isinstance(layer.weight, Tensor)
        counts.append(output.numel() * layer.weight[0].numel())

    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.Linear):
            layer.register_forward_hook(count)
    network(x)
    return sum(counts)


def test_every_layer_of_the_encoder_has_the_published_shape() -> None:
    shapes = shapes_by_layer(SharedEncoder(NAMED["published"]).eval(), torch.zeros(2, 1, 2000))
    assert shapes == {name: (2, filters, time) for name, (filters, time, _) in LAYERS.items()}


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_of_the_encoder_has_the_published_parameters(name: str) -> None:
    assert parameter_count(SharedEncoder(NAMED["published"]).get_submodule(name)) == LAYERS[name][2]


def test_encoder_has_83898_parameters_and_83993_with_heads() -> None:
    model = DynamicDeep()
    encoder, heads = parameter_count(model.encoder), parameter_count(model.heads)
    assert (encoder, encoder + heads) == (83_898, 83_993)


def test_device_part_takes_15994205_multiply_accumulates() -> None:
    assert multiply_accumulates(DynamicDeep().eval(), torch.zeros(1, 1, 2000)) == 15_994_205


def test_only_layers_4_and_9_are_normalised() -> None:
    normalised = [
        n
        for n, m in SharedEncoder(NAMED["published"]).named_modules()
        if isinstance(m, nn.BatchNorm1d)
    ]
    assert normalised == ["conv4.norm", "conv9.norm"]


def test_adapters_and_shared_decoder_have_the_published_parameters() -> None:
    decoder = DynamicDeep().decoder
    parts = (decoder.adapter32, decoder.adapter64, decoder.shared)
    assert tuple(map(parameter_count, parts)) == (2_784, 4_800, 2_079_274)


@pytest.mark.parametrize(("level", "samples"), [(32, 62), (64, 31)])
def test_each_adapter_leads_to_the_same_shape(level: int, samples: int) -> None:
    adapter = DynamicDeep().decoder.get_submodule(f"adapter{level}")
    assert adapter(torch.zeros(2, 1, samples)).shape == (2, 32, 124)


def test_device_part_gives_latents_and_errors_of_both_levels() -> None:
    encoded = DynamicDeep().eval()(torch.zeros(3, 1, 2000))
    assert [tuple(t.shape) for t in encoded] == [(3, 1, 62), (3, 1, 31), (3, 1), (3, 1)]


def test_both_levels_are_reconstructed_to_full_segments() -> None:
    decoded = DynamicDeep().eval().reconstruct(torch.zeros(3, 1, 2000))
    assert [tuple(t.shape) for t in decoded] == [(3, 1, 2000)] * 2


def test_predicted_errors_are_never_negative() -> None:
    model = DynamicDeep().eval()
    with torch.no_grad():
        model.heads.head32.bias.fill_(-1e3)
        predicted = model(torch.rand(4, 1, 2000))[2]
    assert float(predicted.min()) == 0


@pytest.mark.parametrize("level", [32, 64])
def test_baselines_have_the_published_parameters(level: int) -> None:
    model = CAE(level)
    encoder, decoder = parameter_count(model.encoder), parameter_count(model.decoder)
    assert (encoder, decoder) == (133_585, 141_984 + (992 * 8 + 1) * 2000)


@pytest.mark.parametrize(("level", "codes"), [(32, 62), (64, 31)])
def test_baseline_compresses_to_its_codes_and_back(level: int, codes: int) -> None:
    model = CAE(level).eval()
    x = torch.zeros(2, 1, 2000)
    assert (model(x).shape, model.reconstruct(x)[0].shape) == ((2, 1, codes), (2, 1, 2000))


def test_decoder_end_starts_as_exact_linear_interpolation() -> None:
    conv, dense = ConvSiLU(1, 2, 1), nn.Linear(2 * 5, 9)
    start_glorot(dense)
    start_interpolating(conv, dense, noise=0)
    with torch.no_grad():
        conv.weight.mul_(1 / conv.weight[0])
        out = dense(conv(torch.tensor([[[-2.0, -1.0, 0.0, 1.0, 2.0]]])).flatten(1))
    torch.testing.assert_close(out[0], torch.linspace(-2, 2, 9))


def test_normalisation_folds_exactly_into_the_convolution() -> None:
    layer = ConvSiLU(2, 3, 5, normalise=True)
    layer.train()(torch.rand(8, 2, 50) * 3 + 1)
    layer.eval()
    norm = layer.norm
    assert isinstance(norm, nn.BatchNorm1d)
    assert norm.running_var is not None
    assert norm.running_mean is not None
    assert layer.bias is not None
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    folded = ConvSiLU(2, 3, 5)
    with torch.no_grad():
        folded.weight.copy_(layer.weight * gain[:, None, None])
        assert folded.bias is not None
        folded.bias.copy_((layer.bias - norm.running_mean) * gain + norm.bias)
    x = torch.rand(2, 2, 50)
    torch.testing.assert_close(folded(x), layer(x))
