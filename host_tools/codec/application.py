"""The codec as what is checked and measured: every segment a packet."""

import itertools
from collections.abc import Sequence

from dynadeep.codegen.bundle import Manifest
from dynadeep.codegen.fixed_point import INT32_MAX
from dynadeep.codegen.numerics import (
    LEVEL_NONE,
    MarginTable,
    choose_level,
    clipped_samples,
    fixed_error,
    predicted_error,
)
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.link.device import Values
from dynadeep.host_tools.measure.application import Compared, Difference
from dynadeep.host_tools.measure.references import Case

STREAM = 0


class CodecApplication:
    """A codec's board, held against the Python definition: level, errors, every byte sent."""

    noun = "packets"
    ways = 2  # sent as samples, and compressed as strongly as it goes

    def __init__(self, board: CodecBoard, manifest: Manifest):
        self.board = board
        self.manifest = manifest
        self.margins = MarginTable.of_segments(manifest.need_codec())
        self.kinds = ("none", *(level.name for level in manifest.levels))

    def begin(self, first: int = 0) -> None:
        """Begin a new stream of packets, or go on with one behind its ``first`` packets."""
        self.board.reset(STREAM, first % packets.SEQUENCES)

    def compare(self, case: Case, index: int) -> Compared:
        """Run a segment at a bound that ``index`` picks; compare all that the board says of it."""
        manifest, lossless = self.manifest, self.board.device.about.lossless
        predicted = [
            predicted_error(int(case.tensor(level.error_tensor).reshape(-1)[0]), level)
            for level in manifest.levels
        ]
        default = fixed_error(manifest.default_bound)
        bounds = bounds_to_try(predicted, self.margins, default, index)
        bound = self.board.bound(bounds[index % len(bounds)])
        reply = self.board.encode(case.samples)
        level = choose_level(predicted, self.margins.at(bound), bound, lossless=lossless)
        clipped = int(clipped_samples(case.samples, manifest.input_map))
        sent = expected_packet(manifest, case, level, index)
        pairs: list[tuple[str, object, object]] = [
            ("predicted error", list(reply.predicted), predicted),
            ("level", reply.level, level),
            ("clipped samples", reply.clipped, clipped),
            ("packet", reply.packet.hex(), sent.hex()),
        ]
        wrong = tuple(
            Difference(kind, "after the layers", kind, *_short(board, reference), case.name)
            for kind, board, reference in pairs
            if board != reference
        )
        kind = self.kinds[reply.level] if reply.level < len(self.kinds) else ""
        return Compared(1, wrong, kind)

    def ticks(self, inputs: Sequence[Values]) -> list[int]:
        """Return the ticks of each segment at a bound that nothing meets and one that all do.

        The bound is afterwards what it was before.
        """
        before = self.board.bound()
        ticks = []
        for bound in (0, INT32_MAX):
            self.board.bound(bound)
            ticks += [self.board.encode(segment).ticks for segment in inputs]
        self.board.bound(before)
        return ticks

    def run(self, values: Values) -> int:
        """Run a segment once, compressed as strongly as it goes; the bound stays as it was."""
        before = self.board.bound()
        self.board.bound(INT32_MAX)
        ticks = self.board.encode(values).ticks
        self.board.bound(before)
        return ticks

    def longest_call(self, values: Values) -> int:
        """Return what the slowest of a segment's samples sets going."""
        return self.board.encode(values, single=True).worst_ticks


def expected_packet(manifest: Manifest, case: Case, level: int, sequence: int) -> bytes:
    """Return the packet that the board must send for a segment, byte for byte."""
    codes = None
    if level != LEVEL_NONE:
        codes = case.tensor(manifest.levels[level - 1].latent_tensor).reshape(-1)
    payload = packets.payload_of(manifest, level, case.samples, codes)
    model_id = packets.short_model_id(manifest)
    return packets.encode(
        packets.Packet(level, model_id, STREAM, sequence % packets.SEQUENCES, payload)
    )


def bounds_to_try(
    predicted: list[int], margins: MarginTable, default: int, index: int
) -> list[int]:
    """Return bounds, Q8.24, at which a firmware that decides otherwise is likely to show it.

    The default, any, those that just meet and just miss a level, none, then a knot of the margins
    that ``index`` picks: just before it, at it, behind it, and halfway to the next one.
    """
    met = [margins.least_bound(level, error) for level, error in enumerate(predicted)]
    bounds = [default, INT32_MAX, *(b for bound in met for b in (bound, bound - 1)), 0]
    pairs = list(itertools.pairwise(margins.knots))
    if pairs:
        knot, following = pairs[index % len(pairs)]
        bounds += [knot - 1, knot, knot + 1, (knot + following) // 2]
    return [min(max(bound, 0), INT32_MAX) for bound in bounds]


def _short(board: object, reference: object) -> tuple[str, str]:
    """Return both as text, cut to where they first differ if they are long."""
    left, right = str(board), str(reference)
    if max(len(left), len(right)) <= 80:
        return left, right
    same = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), 0)
    start = same - same % 2
    left, right = left[start : start + 16], right[start : start + 16]
    return f"...{left}... at byte {start // 2}", f"...{right}..."
