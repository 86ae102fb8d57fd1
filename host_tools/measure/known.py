"""The networks of which more is known than can be measured here: ``networks/<name>.toml``."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from dynadeep.codegen.layers import Network
from dynadeep.codegen.typed import Reader
from dynadeep.host_tools.errors import HostError

FOLDER = "networks"


@dataclass(frozen=True)
class Peer:
    """What another way to run a network costs on a Cortex-M4."""

    name: str
    flags: str
    instructions: int
    flash_bytes: int
    ram_bytes: int
    bit_exact: str  # equal to TFLite's reference kernels: "yes", or what it is instead


@dataclass(frozen=True)
class KnownNetwork:
    """One network, told by its layers' shapes; its peers' figures where they were measured."""

    name: str
    layers: tuple[str, ...]  # "2000x1 conv k3 s1, SiLU 2000x8", in the order of execution
    source: str = ""  # where the peers' figures are from
    peers: tuple[Peer, ...] = ()


def find(network: Network) -> KnownNetwork | None:
    """Return what is known of a network whose layers have the same shapes; None if nothing is."""
    shapes = shapes_of(network)
    return next((candidate for candidate in known_networks() if candidate.layers == shapes), None)


def known_networks() -> Iterator[KnownNetwork]:
    """Yield all networks that something is known of."""
    folder = resources.files("dynadeep.host_tools.measure") / FOLDER
    for entry in sorted(folder.iterdir(), key=lambda path: path.name):
        if entry.name.endswith(".toml"):
            reader = Reader(f"{FOLDER}/{entry.name}", HostError, "Mend the file.")
            yield reader.read(KnownNetwork, reader.toml(entry.read_bytes()))


def shapes_of(network: Network) -> tuple[str, ...]:
    """Return what each layer takes, does and gives, which decides what the network costs."""
    return tuple(
        f"{layer.inputs[0].time}x{layer.inputs[0].channels} {layer.summary} "
        f"{layer.output.time}x{layer.output.channels}"
        for layer in network.layers
    )
