"""Which application a board runs: the one place that knows them all."""

from dynadeep.host_tools.codec.application import CodecApplication
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.measure.application import Application
from dynadeep.host_tools.measure.network import NetApplication, NetBoard
from dynadeep.host_tools.pipeline import Station


def application_of(station: Station) -> Application:
    """Return what the firmware of a greeted board does with its network."""
    manifest = station.bundle.manifest
    if manifest.codec is None:
        return NetApplication(NetBoard(station.device, manifest))
    return CodecApplication(CodecBoard(station.device), manifest)
