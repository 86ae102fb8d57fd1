"""What an archive holds: its folders, its columns, and what a row may say.

    DIR/device=DEVICE/day=YYYY-MM-DD/NAME.parquet

``docs/archive.md`` describes every column for those who read an archive without this kit.
"""

import re
from datetime import UTC, date, datetime

import pyarrow as pa

from dynadeep.host_tools.cloud.names import DEVICE

VERSION = "1"
VERSION_KEY = b"dynadeep.archive"

PACKET, GAP, RESTART = "packet", "gap", "restart"
UNKNOWN_MODEL, BAD_PACKET = "unknown_model", "bad_packet"
KINDS = (PACKET, GAP, RESTART, UNKNOWN_MODEL, BAD_PACKET)

TIME = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("stream", pa.int64(), nullable=False),
        pa.field("index", pa.int64()),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("sequence", pa.uint16()),
        pa.field("time", TIME, nullable=False),
        pa.field("arrival", TIME, nullable=False),
        pa.field("model", pa.uint32()),
        pa.field("level", pa.uint8()),
        pa.field("packet", pa.binary()),
        pa.field("detail", pa.string()),
    ],
    metadata={VERSION_KEY: VERSION.encode()},
)

SORT_KEYS = [
    ("stream", "ascending"),
    ("index", "ascending"),
    ("kind", "descending"),  # a restart stands before the packet that it begins with
    ("time", "ascending"),
]

COUNT_MAX = 1 << 40
"""Of the segments of a gap, and of a stream: 250,000 years at 6.7 s each."""

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2084, 1, 1, tzinfo=UTC)
"""Of a time: what an EDF file can begin at, and years from what a collector believes."""

PACKET_BYTES_MAX = 13 + 0xFFFF + 4
"""Header, the longest payload that its length field can say, CRC."""


def is_device(name: str) -> bool:
    """Whether a name may be a device's: what a topic says becomes the name of a folder."""
    return DEVICE.fullmatch(name) is not None


def model_number(short_model_id: bytes) -> int:
    """Return a packet's 4 bytes of model id as the column ``model`` has them.

    ``f"{number:08x}"`` are the first 8 digits of the model id.
    """
    return int.from_bytes(short_model_id, "big")


def day_of(folder_name: str) -> date | None:
    """Return the day of a folder called ``day=YYYY-MM-DD``, None if it is called otherwise."""
    name = folder_name.removeprefix("day=")
    if name == folder_name or re.fullmatch(r"\d{4}-\d\d-\d\d", name, re.ASCII) is None:
        return None
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def device_of(folder_name: str) -> str | None:
    """Return the device of a folder called ``device=DEVICE``, None if it is called otherwise."""
    name = folder_name.removeprefix("device=")
    return name if name != folder_name and is_device(name) else None
