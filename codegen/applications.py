"""The applications: what a firmware does with its network, and the C that it is made of.

Another one is its name in ``Application`` and ``Wish``, its entry in ``APPLICATIONS``, and its C in
``firmware_templates/app``: a ``main``, and ``dd_send_fault`` of ``dd_fault.h``. ``application.h``
gives it the network or the codec; ``generate --application`` knows it from then on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dynadeep.codegen.alignment import aligned
from dynadeep.codegen.version import __version__

if TYPE_CHECKING:
    from dynadeep.codegen.board import Board
    from dynadeep.codegen.plan import Plan

Harness = Literal["network", "codec"]
"""What answers the host's commands: of a network alone, or of a codec on top of it."""

Application = Literal[Harness, "mlperf", "autonomous"]
"""What a project's manifest tells."""

Wish = Literal["harness", "mlperf", "autonomous"]
"""What may be asked for; the harness is that of the bundle. What is autonomous sends packets by
itself, of samples from a source."""

STATE_BYTES = 192
"""What an autonomous firmware keeps besides its codec and its samples."""

LINK_BYTES, COUNTER_BYTES = 56, 8
"""sizeof(dd_link), a flag behind it, and what a counter of ticks keeps at most."""

REQUEST_BYTES, REPLY_BYTES = 20, 12
"""Of a request besides its input, of a reply besides its payload: commands.h and dd_link.h."""

INFERENCE_BYTES = 24
"""sizeof(dd_inference), which lies at a multiple of 8."""

HELLO_BYTES = 44
"""DD_HELLO_BYTES besides the board's name and the kit's version: any payload's least room."""

ENCODE_BYTES, ENCODE_LEVEL_BYTES, PACKET_BYTES = 16, 4, 24
"""Before a packet in the reply to ENCODE, and for each level; sizeof(dd_packet) with a bound."""

MLPERF_BYTES = 112
"""What an MLPerf Tiny device keeps besides the network and its input: 104 B measured at most."""

SEEN_BYTES, TRACE_BYTES = 12, 10
"""sizeof(dd_seen), and what a reply to TRACE says of a tensor."""


@dataclass(frozen=True)
class Program:
    """How an application is built."""

    sources: tuple[str, ...]  # its files in firmware_templates/app; the board's come to them
    uses: Harness  # what application.h gives it: NAME_net.h or NAME_codec.h
    ram_bytes: Callable[["Plan", "Board"], int]  # what it keeps, the network's state included
    samples: bool = False  # whether it takes them from the source that board.toml names


def _harness_ram(plan: "Plan", board: "Board") -> int:
    """Return what dd_app of commands.h takes, by its fields."""
    codec, reply, state = plan.manifest.codec, plan.reply_bytes, aligned(plan.state_bytes, 4)
    if codec is None:
        state += 4  # whether an inference is complete
    else:
        state += PACKET_BYTES
        reply += ENCODE_BYTES + ENCODE_LEVEL_BYTES * len(codec.levels)
    hello = HELLO_BYTES + len(board.name) + len(__version__)
    payload = max(hello, reply, TRACE_BYTES * len(plan.tensors), 4 * len(plan.constants) + 1)
    received = aligned(state + REQUEST_BYTES + plan.value_bytes * plan.chunk, 8)
    inference = INFERENCE_BYTES + SEEN_BYTES * len(plan.tensors)
    sent = aligned(received + inference + payload + REPLY_BYTES, 4)
    return aligned(sent + LINK_BYTES, 8) + COUNTER_BYTES


def _mlperf_ram(plan: "Plan", _board: "Board") -> int:
    return plan.net_bytes + sum(tensor.size for tensor in plan.network.inputs) + MLPERF_BYTES


def _autonomous_ram(plan: "Plan", _board: "Board") -> int:
    """Encoder, packet, samples that wait: all of a segment where the engine needs it whole."""
    waiting = plan.chunk if plan.choice.engine == "stream" else plan.manifest.segment_length
    return plan.encoder_bytes + plan.packet_bytes_max + 2 * (plan.chunk + waiting) + STATE_BYTES


LINK = ("main.c", "commands.c", "hello.c", "dd_link.c")

APPLICATIONS: dict[Application, Program] = {
    "network": Program((*LINK, "commands_net.c"), "network", _harness_ram),
    "codec": Program((*LINK, "commands_codec.c"), "codec", _harness_ram),
    "mlperf": Program(("mlperf_main.c", "mlperf.c", "mlperf_text.c"), "network", _mlperf_ram),
    "autonomous": Program(
        ("autonomous.c", "hello.c", "dd_link.c"), "codec", _autonomous_ram, samples=True
    ),
}


def answers_to(application: str) -> str:
    """Return which wish a manifest's application is of; itself where this kit knows it not."""
    return "harness" if application in ("network", "codec") else application


def application_for(wish: Wish, *, codec: bool) -> Application:
    """Return the application that is meant by a wish, for a network alone or with a codec."""
    if wish == "harness":
        return "codec" if codec else "network"
    return wish


def application_of(plan: "Plan") -> Application:
    """Return what the firmware does with the network."""
    return application_for(plan.choice.application, codec=plan.manifest.codec is not None)


def ram_bytes(plan: "Plan", board: "Board") -> int:
    """Return the firmware's RAM on a board, stack included, the application's part estimated."""
    stack = board.ram.stack_bytes if board.ram else 0
    return APPLICATIONS[application_of(plan)].ram_bytes(plan, board) + stack
