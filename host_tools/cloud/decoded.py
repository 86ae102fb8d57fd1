"""What decoding writes as Parquet: the archive's rows, with samples in place of packets.

OUT/ecg/device=DEVICE/day=YYYY-MM-DD/ecg.parquet
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dynadeep.host_tools.cloud import schema
from dynadeep.host_tools.cloud.models import Models
from dynadeep.host_tools.cloud.pieces import Piece

VERSION = "1"
VERSION_KEY, MODELS_KEY = b"dynadeep.decoded", b"dynadeep.models"

SAMPLES = "samples"
WRITE_OPTIONS: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": ["kind", "model", "level", "detail"],
    "use_byte_stream_split": [f"{SAMPLES}.list.element"],
    "write_statistics": ["stream", "index", "time"],
    "write_page_checksum": True,
}
SCHEMA = pa.schema(
    [
        *(schema.SCHEMA.field(name) for name in ("kind", "stream", "index", "count", "time")),
        *(schema.SCHEMA.field(name) for name in ("model", "level")),
        pa.field(SAMPLES, pa.list_(pa.float32())),  # ADC units of the model; null where lost
        schema.SCHEMA.field("detail"),
    ]
)


def schema_of(models: Models) -> pa.Schema:
    """Return the columns, with what the samples of each model mean in the file's metadata."""
    units = {
        f"{number:08x}": {
            "sample_rate_hz": model.manifest.rate_hz,
            "adc_gain": model.manifest.adc_gain,
            "adc_baseline": model.manifest.adc_baseline,
            "segment_length": model.manifest.segment_length,
        }
        for number, model in models.items()
    }
    metadata = {VERSION_KEY: VERSION.encode(), MODELS_KEY: json.dumps(units, sort_keys=True)}
    return SCHEMA.with_metadata(metadata)


class ParquetOutput:
    """Writes pieces into ``ecg.parquet`` of a folder, a row group each."""

    def __init__(self, folder: Path, models: Models) -> None:
        self._schema = schema_of(models)
        self._writer = pq.ParquetWriter(folder / "ecg.parquet", self._schema, **WRITE_OPTIONS)

    def take(self, piece: Piece) -> None:
        """Write the next piece."""
        table = piece.rows.select([field.name for field in SCHEMA if field.name != SAMPLES])
        details = [
            problem or detail
            for problem, detail in zip(piece.problems, _details(piece), strict=True)
        ]
        column = table.schema.get_field_index("detail")
        table = table.set_column(column, SCHEMA.field("detail"), pa.array(details, pa.string()))
        self._writer.write_table(table.add_column(column, SCHEMA.field(SAMPLES), _samples(piece)))

    def close(self) -> None:
        """End the file."""
        self._writer.close()


def _details(piece: Piece) -> list[str | None]:
    details: list[str | None] = piece.rows["detail"].to_pylist()
    return details


def _samples(piece: Piece) -> pa.Array:
    """Return the decoded segments as a column."""
    lengths = [0 if ecg is None else len(ecg) for ecg in piece.ecg]
    decoded = [ecg for ecg in piece.ecg if ecg is not None]
    values = np.concatenate(decoded) if decoded else np.empty(0, np.float32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    missing = pa.array([ecg is None for ecg in piece.ecg])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), mask=missing)
