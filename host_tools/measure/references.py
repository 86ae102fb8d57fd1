"""Where parity's reference tensors come from: the bundle's golden vectors, or TFLite on new ECG."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import GOLDEN, MAKE_AGAIN, Bundle
from dynadeep.codegen.errors import BundleError
from dynadeep.codegen.golden import MAPPED, read_golden, read_net_golden
from dynadeep.codegen.numerics import map_input
from dynadeep.codegen.plan import Plan
from dynadeep.host_tools.link.device import Values
from dynadeep.host_tools.recordings.record import Record

BATCH = 8
"""Segments that TFLite runs before the first of them is handed on: bounds the memory in use."""

RESOLVER = "tf.lite.experimental.OpResolverType.BUILTIN_REF"
"""What makes TFLite's interpreter the reference: its ``experimental_op_resolver_type``."""

Samples = npt.NDArray[np.int16]
Tensors = Mapping[str, npt.NDArray[np.int8]]


@dataclass(frozen=True)
class Case:
    """One input as the board gets it, and every tensor of the reference for it, int8 [T', C].

    The input of a codec is int16 [T]; that of a network int8, flat, one input behind the other.
    """

    name: str
    input: Values
    tensors: Tensors

    @property
    def samples(self) -> Samples:
        """A codec's input."""
        assert self.input.dtype == np.int16
        return self.input.astype(np.int16, copy=False)

    def tensor(self, name: str) -> npt.NDArray[np.int8]:
        """Return a tensor's values.

        Raises:
            BundleError: the golden vectors do not have it.
        """
        if name not in self.tensors:
            raise BundleError(f"{GOLDEN}: has no tensor {name!r} of case {self.name}. {MAKE_AGAIN}")
        return self.tensors[name]


@dataclass(frozen=True)
class Cases:
    """What a parity run compares, none of it computed before it is needed."""

    count: int
    sha256: str  # of all inputs: a run that was stopped goes on only with the same
    after: Callable[[int], Iterable[Case]]
    """Gives the cases behind the first so many."""


def golden_set(bundle: Bundle) -> Cases:
    """Return the bundle's golden vectors; see ``golden_cases``."""
    cases = golden_cases(bundle)
    inputs = _sha256_of(case.input for case in cases)
    return Cases(len(cases), inputs, lambda first: cases[first:])


def recorded_set(bundle: Bundle, records: Sequence[Record]) -> Cases:
    """Return every segment of ``records``; see ``reference_cases``."""
    count = sum(len(record.segments) for record in records)
    inputs = _sha256_of(segment for record in records for segment in record.segments)
    return Cases(count, inputs, lambda first: reference_cases(bundle, records, first))


def _sha256_of(inputs: Iterable[Values]) -> str:
    digest = hashlib.sha256()
    for values in inputs:
        digest.update(values.tobytes())
    return digest.hexdigest()


def golden_cases(bundle: Bundle) -> list[Case]:
    """Return the bundle's golden vectors, real and adversarial ones.

    Raises:
        BundleError: ``golden.npz`` is not one, or not of this manifest's inputs.
    """
    if bundle.manifest.codec is None:
        return _net_cases(bundle)
    golden = read_golden(bundle.path(GOLDEN), bundle.manifest.segment_length)
    tensors = {MAPPED: golden.inputs, **golden.tensors}
    return [
        Case(name, golden.samples[i], {key: values[i] for key, values in tensors.items()})
        for i, name in enumerate(golden.names)
    ]


def _net_cases(bundle: Bundle) -> list[Case]:
    inputs = bundle.manifest.inputs
    golden = read_net_golden(bundle.path(GOLDEN), inputs)
    return [
        Case(
            name,
            np.concatenate([golden.tensors[spec.name][i].reshape(-1) for spec in inputs]),
            {key: values[i] for key, values in golden.tensors.items()},
        )
        for i, name in enumerate(golden.names)
    ]


def reference_cases(bundle: Bundle, records: Iterable[Record], first: int = 0) -> Iterator[Case]:
    """Yield every segment of ``records`` with its tensors, computed by TFLite's reference kernels.

    ``first`` so many segments are left out, and not computed.

    Raises:
        MissingDependencyError: TensorFlow is not installed.
    """
    from dynadeep.export.reference import Reference  # needs TensorFlow

    reference = Reference(bundle.model_path)
    left_out = first
    for record in records:
        begin = min(left_out, len(record.segments))
        left_out -= begin
        for start in range(begin, len(record.segments), BATCH):
            batch = record.segments[start : start + BATCH]
            tensors = reference.run(map_input(batch, bundle.manifest.input_map))
            for i, segment in enumerate(batch):
                values = {name: stack[i] for name, stack in tensors.items()}
                yield Case(f"{record.name}/{start + i}", segment, values)


def interpreter_note(plan: Plan) -> str:
    """Return what a user should know who compares with an interpreter of TFLite's, or nothing.

    TFLite's optimised kernels round otherwise wherever products are added up.
    """
    if not plan.macs:
        return ""
    summing = [layer.name for layer in plan.network.layers if layer.macs]
    first = ", ".join(summing[:3]) + (", ..." if len(summing) > 3 else "")
    return (
        "The reference is TFLite's reference kernels. A plain tf.lite.Interpreter runs optimised "
        f"ones, which give other values by 1 or 2 here and there where products are added up "
        f"({first}). To see the board's values: tf.lite.Interpreter(model, "
        f"experimental_op_resolver_type={RESOLVER})."
    )
