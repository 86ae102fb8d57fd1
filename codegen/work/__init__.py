"""How often the parts of a layer's work are done in a run: the loops of its kernel, counted.

What each part costs stands in ``kernel_costs.toml``. Parts follow the C in
``firmware_templates/runtime``: calls, tiles of steps, rounds of a dot product, codes that are
stored, and what lies at the border. A kernel's loops are counted in the module of its kind, which
``layer_work`` chooses.
"""

from dynadeep.codegen.layers import Layer
from dynadeep.codegen.ops.concatenation import Concatenation
from dynadeep.codegen.ops.convolution import ConvLayer
from dynadeep.codegen.ops.depthwise_conv_2d import Depthwise
from dynadeep.codegen.ops.fully_connected import FullyConnected
from dynadeep.codegen.ops.pair import PairLayer
from dynadeep.codegen.ops.pool_2d import Pool
from dynadeep.codegen.ops.reduce import Extreme, Mean, Running
from dynadeep.codegen.plan import Plan
from dynadeep.codegen.work import convolution, depthwise, values
from dynadeep.codegen.work.runs import Work, runs_of

CONVOLUTIONS = ("dd_conv1d_s8", *convolution.GATHERED)


def family_of(layer: Layer) -> str:
    """Return whose costs a layer's parts have: kernels that share their loops share them."""
    return "convolution" if layer.FUNCTION in CONVOLUTIONS else layer.FUNCTION


def layer_work(plan: Plan, number: int) -> Work:
    """Return how often each part of a layer's work is done."""
    runs, kernels = runs_of(plan, number), plan.choice.kernels
    layer = runs.layer
    work: Work
    match layer:
        case Depthwise():
            work = depthwise.depthwise_work(layer, runs, kernels)
        case ConvLayer():
            work = convolution.convolution_work(plan, layer, runs)
        case FullyConnected():
            work = convolution.connected_work(plan, layer, runs)
        case Pool():
            work = values.pool_work(layer, runs, kernels)
        case Extreme() | Mean():
            work = values.reduction_work(layer, runs, kernels)
        case Running():
            work = values.running_work(layer, runs, kernels)
        case PairLayer():
            work = values.pair_work(layer, runs, kernels)
        case Concatenation():
            work = values.concatenation_work(layer, runs)
        case _:
            work = values.plain_work(layer, runs)
    return {part: count for part, count in work.items() if count}
