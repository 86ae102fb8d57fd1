import numpy as np
import pytest
import torch
from torch import nn

from dynadeep.train import evaluate, heads
from dynadeep.train.data import mitdb
from dynadeep.train.errors import TrainingFailedError
from dynadeep.train.input_map import InputMap, as_tensor
from dynadeep.train.model import DynamicDeep


def test_head_finds_the_linear_relation_in_its_latents() -> None:
    latents = torch.rand(200, 4, generator=torch.Generator().manual_seed(0))
    head = nn.Linear(4, 1)
    heads.fit_head(head, latents, latents @ torch.tensor([3.0, 0.0, -2.0, 1.0]) + 10)
    torch.testing.assert_close(
        head.weight.detach(), torch.tensor([[3.0, 0.0, -2.0, 1.0]]), atol=0.02, rtol=0
    )


def test_head_on_latents_that_tell_nothing_starts_from_the_mean_error() -> None:
    head = nn.Linear(3, 1)
    heads.fit_head(head, torch.ones(5, 3), torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert float(head(torch.ones(1, 3)).detach()) == pytest.approx(3.0)


@pytest.mark.parametrize("bias", [-5.0, 5.0])
def test_dead_head_fails_the_run(bias: float) -> None:
    head = nn.Linear(3, 1)
    nn.init.zeros_(head.weight)
    nn.init.constant_(head.bias, bias)
    with pytest.raises(TrainingFailedError, match=r"head of level 64 predicts .* it is dead"):
        heads.check_alive(head, torch.rand(9, 3), "64")


def test_heads_learn_the_error_while_the_compressor_stays(windows: mitdb.Samples) -> None:
    torch.manual_seed(0)
    model, input_map = DynamicDeep(), InputMap("affine", 1012, 467)
    with torch.no_grad():
        model.train().reconstruct(input_map.apply(as_tensor(windows)))
    compressor = {n: t.clone() for n, t in model.encoder.state_dict().items()}
    heads.train_heads(model, windows, input_map)
    result = evaluate.run(model, windows, input_map)["32"]
    assert result.predicted is not None
    assert np.abs(result.predicted - result.prd).mean() < 0.5 * result.prd.std()
    assert all(torch.equal(compressor[n], t) for n, t in model.encoder.state_dict().items())
