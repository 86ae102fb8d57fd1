"""Parity against a board made of Python, which is right but for the fault that a test puts in."""

import dataclasses
import zlib
from types import SimpleNamespace

import numpy as np
import pytest

from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.inventory import Constant, TracedTensor
from dynadeep.codegen.numerics import (
    MarginTable,
    choose_level,
    clipped_samples,
    predicted_error,
)
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.application import (
    CodecApplication,
    bounds_to_try,
    expected_packet,
)
from dynadeep.host_tools.codec.wire import EncodeReply
from dynadeep.host_tools.errors import ParityError
from dynadeep.host_tools.link.protocol import TraceEntry
from dynadeep.host_tools.measure import parity
from dynadeep.host_tools.measure.references import Case

TENSORS = (
    TracedTensor(0, "segment", "input", "input", 2000, 1, fused=True),
    TracedTensor(1, "conv1/conv", "conv1", "conv", 4, 3, fused=False),
    TracedTensor(2, "conv1/silu", "conv1", "silu", 4, 3, fused=True),
    TracedTensor(3, "conv2/conv", "conv2", "conv", 2, 5, fused=False),
    TracedTensor(4, "conv2/silu", "conv2", "silu", 2, 5, fused=True),
)
CONSTANTS = (
    Constant(0, "conv1", "weights", np.arange(9, dtype=np.int8)),
    Constant(1, "conv1", "multiplier", np.array([1 << 30, 1 << 29, 7], np.int32)),
    Constant(2, "conv2", "weights", np.arange(20, dtype=np.int8)),
)
PLAN = SimpleNamespace(tensors=TENSORS, constants=CONSTANTS)


def make_case(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    tensors = {
        t.name: rng.integers(-128, 127, (t.time, t.channels), endpoint=True).astype(np.int8)
        for t in TENSORS
    }
    for name, codes in (("cg32", 62), ("cg64", 31)):
        tensors[f"{name}/silu"] = rng.integers(-128, 127, (codes, 1)).astype(np.int8)
        tensors[f"{name}/conv"] = rng.integers(-128, 0, (1, 1)).astype(np.int8)
    samples = rng.integers(0, 2047, 2000).astype(np.int16)
    return Case(f"case{seed}", samples, tensors)


class PythonBoard:
    """Does what the protocol says, from the reference's own tensors and their altered copies."""

    def __init__(self, manifest, cases):
        self.manifest = manifest
        self.cases = {case.input.tobytes(): case for case in cases}
        self.constant_bytes = [bytearray(constant.content) for constant in CONSTANTS]
        self.alter = lambda name, values, unfused: values
        self.alter_run = lambda reply: reply
        self.sequence = 0
        self.about = SimpleNamespace(lossless=True)
        self.device = self

    def constants(self):
        return tuple(zlib.crc32(content) for content in self.constant_bytes)

    def reset(self, stream, sequence):
        self.stream, self.sequence = stream, sequence

    def bound(self, bound):
        self.bound_now = bound
        return bound

    def _values(self, segment, tensor, unfused):
        case = self.cases[segment.tobytes()]
        return self.alter(tensor.name, case.tensors[tensor.name].copy(), unfused)

    def trace(self, segment, *, unfused):
        return tuple(
            TraceEntry(t.number, zlib.crc32(self._values(segment, t, unfused).tobytes()), 1)
            for t in TENSORS
            if unfused or t.fused
        )

    def tensor(self, segment, number, size, *, unfused):
        values = self._values(segment, TENSORS[number], unfused).reshape(-1)
        assert values.size == size
        return values

    def encode(self, segment):
        case, levels = self.cases[segment.tobytes()], self.manifest.levels
        errors = [predicted_error(int(case.tensors[lv.error_tensor][0, 0]), lv) for lv in levels]
        margins = MarginTable.of_segments(self.manifest.need_codec()).at(self.bound_now)
        level = choose_level(errors, margins, self.bound_now)
        sent = expected_packet(self.manifest, case, level, self.sequence)
        self.sequence += 1
        clipped = int(clipped_samples(segment, self.manifest.input_map))
        return self.alter_run(EncodeReply(level, tuple(errors), 1, 1, clipped, sent))


def checked(board, bundle, cases):
    """Compare a board that is Python all through, codec included."""
    return parity.check(board, PLAN, cases, CodecApplication(board, bundle.manifest))


@pytest.fixture
def bundle(make_manifest) -> Bundle:
    return Bundle(None, make_manifest())


@pytest.fixture
def cases() -> list[Case]:
    return [make_case(seed) for seed in range(12)]


@pytest.fixture
def board(bundle, cases) -> PythonBoard:
    return PythonBoard(bundle.manifest, cases)


def test_a_board_that_is_right_is_bit_exact(board, bundle, cases):
    result = checked(board, bundle, cases)
    assert result.bit_exact
    assert (result.segments, result.tensors, result.fused_tensors) == (12, 5, 3)
    assert (result.constants, result.results, result.noun) == (3, 12, "packets")
    parity.require_exact(result)


def test_every_level_is_compared_because_the_bound_is_moved(board, bundle, cases):
    result = checked(board, bundle, cases)
    assert all(count > 0 for count in result.kinds.values())
    assert sum(result.kinds.values()) == result.segments


def test_a_board_whose_margins_do_not_follow_the_bound_is_found_out(board, bundle, cases):
    codec = bundle.manifest.need_codec()
    levels = tuple(
        dataclasses.replace(level, margins=(level.margins[0],) * len(level.margins))
        for level in codec.levels
    )
    board.manifest = bundle.manifest.with_codec(levels=levels)
    result = checked(board, bundle, cases)
    assert any(different.kind == "level" for different in result.differences)


def test_bounds_are_tried_at_a_knot_beside_it_and_halfway_to_the_next():
    table = MarginTable((0, 1000, 5000), ((100, 300, 200), (50, 50, 50)))
    for index, knot, halfway in ((0, 0, 500), (1, 1000, 3000), (2, 0, 500)):
        tried = bounds_to_try([400, 2000], table, 77, index)
        assert tried[:2] == [77, (1 << 31) - 1]
        assert {max(knot - 1, 0), knot, knot + 1, halfway} <= set(tried)
        for level, error in enumerate((400, 2000)):
            met = table.least_bound(level, error)
            assert {met, met - 1} <= set(tried)


def test_nothing_compared_is_not_bit_exact(board, bundle):
    result = checked(board, bundle, [])
    assert not result.bit_exact
    with pytest.raises(ParityError, match="nothing was compared"):
        parity.require_exact(result)


def test_the_first_value_that_differs_is_named(board, bundle, cases):
    def alter(name, values, unfused):
        if name == "conv2/conv":
            values[1, 3] ^= 1
        return values

    board.alter = alter
    result = checked(board, bundle, cases)
    difference = result.differences[0]
    reference = int(cases[0].tensors["conv2/conv"][1, 3])
    assert (difference.layer, difference.name, difference.segment) == (
        "conv2",
        "conv2/conv",
        "case0",
    )
    assert (difference.time, difference.channel) == (1, 3)
    assert (difference.board, difference.reference) == (str(reference ^ 1), str(reference))
    assert "layer conv2, conv2/conv, segment case0, channel 3, time 1" in str(difference)


def test_the_earlier_layer_is_named_when_two_differ(board, bundle, cases):
    def alter(name, values, unfused):
        if name in ("conv1/silu", "conv2/silu"):
            values[0, 0] ^= 1
        return values

    board.alter = alter
    assert checked(board, bundle, cases).differences[0].layer == "conv1"


def test_a_fault_of_the_fused_run_alone_is_found(board, bundle, cases):
    def alter(name, values, unfused):
        if name == "conv2/silu" and not unfused:
            values[0, 0] ^= 1
        return values

    board.alter = alter
    result = checked(board, bundle, cases)
    assert result.differences[0].name == "conv2/silu"


def test_a_result_that_changes_from_run_to_run_is_said_to(board, bundle, cases):
    runs = []

    def alter(name, values, unfused):
        if name == "conv1/conv":
            runs.append(name)
            values[0, 0] ^= len(runs) == 1
        return values

    board.alter = alter
    result = checked(board, bundle, cases)
    assert result.differences[0].board == "another result in a second run"


def test_a_constant_that_changes_no_tensor_is_named_by_layer_and_kind(board, bundle, cases):
    board.constant_bytes[1][8] += 1
    result = checked(board, bundle, cases)
    assert [(d.kind, d.layer, d.name) for d in result.differences] == [
        ("constant", "conv1", "multiplier")
    ]
    with pytest.raises(ParityError, match="layer conv1, multiplier: board CRC"):
        parity.require_exact(result)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"level": 7}, "level"),
        ({"predicted": (0, 0)}, "predicted error"),
        ({"packet": b""}, "packet"),
        ({"clipped": 7}, "clipped samples"),
    ],
)
def test_a_wrong_reply_to_run_is_named(board, bundle, cases, change, kind):
    board.alter_run = lambda reply: dataclasses.replace(reply, **change)
    result = checked(board, bundle, cases[:1])
    assert [difference.kind for difference in result.differences] == [kind]


@pytest.mark.parametrize("unfused", [True, False])
def test_a_missing_tensor_is_a_difference(board, bundle, cases, unfused):
    whole = board.trace

    def cut(segment, *, unfused):
        return whole(segment, unfused=unfused)[: None if unfused is not shortened else -1]

    shortened = unfused
    board.trace = cut
    result = checked(board, bundle, cases)
    assert result.differences[0].name == "number of tensors"


def test_a_missing_constant_is_a_difference(board, bundle, cases):
    board.constant_bytes.pop()
    result = checked(board, bundle, cases)
    assert result.differences[0].name == "number of arrays"


def test_a_packet_that_differs_in_one_byte_says_where(board, bundle, cases):
    def flip(reply):
        data = bytearray(reply.packet)
        data[20] ^= 0x10
        return dataclasses.replace(reply, packet=bytes(data))

    board.alter_run = flip
    result = checked(board, bundle, cases[:1])
    assert "at byte 20" in str(result.differences[0])


def test_a_lost_sequence_number_is_found(board, bundle, cases):
    def skip(reply):
        manifest = bundle.manifest
        packet = packets.decode(reply.packet, manifest)
        wrong = dataclasses.replace(packet, sequence=packet.sequence + 1)
        return dataclasses.replace(reply, packet=packets.encode(wrong))

    board.alter_run = skip
    assert checked(board, bundle, cases).differences[0].kind == "packet"
