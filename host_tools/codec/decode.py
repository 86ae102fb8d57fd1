"""The receiver's side: packets back to ECG in ADC units, with the bundle's trained decoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import DECODER_ONNX, Bundle, Manifest
from dynadeep.codegen.errors import BundleError, MissingDependencyError
from dynadeep.codegen.numerics import LEVEL_NONE
from dynadeep.host_tools.codec import lossless, rice
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.packet import Packet
from dynadeep.host_tools.errors import PacketError

Ecg = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]

BATCH = 64
"""Segments that the network decodes at once: about three times as fast as one by one."""


@dataclass(frozen=True)
class Decoded:
    """Segments of packets, in their order."""

    ecg: Ecg  # [N, T], ADC units; NaN where a packet could not be decoded
    wrong: dict[int, PacketError]  # by row


class Decoder:
    """The trained decoder of one bundle.

    How many segments are decoded at once changes no bit of any.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
        BundleError: the bundle has no codec, or ``decoder.onnx`` does not fit the manifest.
    """

    def __init__(self, bundle: Bundle) -> None:
        bundle.manifest.need_codec()
        self.manifest = bundle.manifest
        self._session = _open_session(bundle.path(DECODER_ONNX))
        self._inputs = _input_names(self._session, self.manifest)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._nothing = {
            name: np.zeros((1, 1, level.codes), np.float32)
            for name, level in zip(self._inputs, self.manifest.levels, strict=True)
        }
        self._options = _of_one_output()

    def decode(self, data: bytes) -> Ecg:
        """Return the segment of one packet, float [T], ADC units.

        Raises:
            PacketError: the packet cannot be trusted or belongs to another model.
        """
        return self.decode_packet(packets.decode(data, self.manifest))

    def decode_packet(self, packet: Packet) -> Ecg:
        """Return the segment of a packet that ``packet.decode`` has checked, float [T], ADC units.

        Raises:
            PacketError: its payload is not what coding a segment gives.
        """
        decoded = self.decode_packets([packet])
        for error in decoded.wrong.values():
            raise error
        return np.asarray(decoded.ecg[0])

    def decode_packets(self, received: Sequence[Packet]) -> Decoded:
        """Return the segments of packets that ``packet.decode`` has checked."""
        decoded = Decoded(np.full((len(received), self.manifest.segment_length), np.nan), {})
        levels = np.array([packet.level for packet in received], np.int64)
        for level in np.unique(levels):
            rows = np.flatnonzero(levels == level)
            for start in range(0, len(rows), BATCH):
                part = rows[start : start + BATCH]
                batch = [received[row] for row in part]
                if level == LEVEL_NONE:
                    self._take_samples(decoded, part, [packet.payload for packet in batch])
                else:
                    decoded.ecg[part] = self._segments_of(int(level), batch)
        return decoded

    def decode_codes(
        self, level: int, codes: Codes, window_range: tuple[int, int] | None = None
    ) -> Ecg:
        """Return the segment of a compressed level's codes, int8 [codes] -> float [T], ADC units.

        Args:
            level: 1 to the manifest's number of levels.
            codes: int8, as the latent tensor holds them.
            window_range: the window's least and greatest sample, with the minmax input map.
        """
        ranges = None if window_range is None else [window_range]
        return np.asarray(self._segments(level, codes[None], ranges)[0])

    def decode_many(
        self, level: int, codes: Codes, ranges: Sequence[tuple[int, int]] | None = None
    ) -> npt.NDArray[np.float32]:
        """Return the segments of N lots of codes, int8 [N, codes] -> float32 [N, T], ADC units."""
        decoded = np.empty((len(codes), self.manifest.segment_length), np.float32)
        for start in range(0, len(codes), BATCH):
            part = slice(start, start + BATCH)
            own = None if ranges is None else ranges[part]
            decoded[part] = self._segments(level, codes[part], own)
        return decoded

    def _take_samples(self, decoded: Decoded, rows: Rows, coded: Sequence[bytes]) -> None:
        count = self.manifest.segment_length
        samples, right = lossless.decode_all(coded, count)
        decoded.ecg[rows[right]] = samples[right]
        for index in np.flatnonzero(~right).tolist():
            decoded.wrong[int(rows[index])] = rice.refusal(coded[index], count)

    def _segments_of(self, level: int, batch: Sequence[Packet]) -> Ecg:
        """Return the segments of packets of one compressed level."""
        contents = [packets.codes_of(packet, self.manifest) for packet in batch]
        ranges = [content.window_range for content in contents if content.window_range is not None]
        return self._segments(
            level, np.stack([content.codes for content in contents]), ranges or None
        )

    def _segments(self, level: int, codes: Codes, ranges: Sequence[tuple[int, int]] | None) -> Ecg:
        """Return the segments of int8 [N, codes], float [N, T], ADC units."""
        values = self._run(level, codes).astype(np.float64)
        return to_adc(values, self.manifest, None if ranges is None else np.array(ranges))

    def _run(self, level: int, codes: Codes) -> npt.NDArray[np.float32]:
        """Return the network's output, float32 [N, T], in its input units, of int8 [N, codes]."""
        if level == LEVEL_NONE:
            raise ValueError("level 0 has no codes")
        latent = self.manifest.levels[level - 1].latent
        real = (codes.astype(np.float32) - latent.zero_point) * np.float32(latent.scale)
        feeds = self._nothing | {self._inputs[level - 1]: real[:, None, :]}
        (decoded,) = self._session.run([self._outputs[level - 1]], feeds, self._options)
        return np.asarray(decoded, np.float32).reshape(len(codes), -1)


def to_adc(
    values: Ecg, manifest: Manifest, ranges: tuple[int, int] | npt.NDArray[np.int64] | None
) -> Ecg:
    """Undo the input map: the network's input units, float [T] or [N, T], to ADC units.

    ``ranges`` has the least and the greatest sample of each window, with the minmax input map.
    """
    codes = values / manifest.input.scale + manifest.input.zero_point
    mapping = manifest.input_map
    if mapping.kind == "affine":
        return codes * (1 << mapping.shift) / mapping.multiplier + mapping.offset
    if ranges is None:
        raise ValueError("the minmax input map needs the window's range")
    limits = np.asarray(ranges, np.float64)
    low, high = limits[..., :1], limits[..., 1:]
    decoded: Ecg = (codes + 128) / 255 * (high - low) + low
    return decoded


def _open_session(path: Path) -> Any:
    try:
        import onnxruntime  # only decoding needs it
    except ImportError as error:
        raise MissingDependencyError(
            "the Python package onnxruntime is not installed; decoding needs it. "
            "Run: pip install onnxruntime"
        ) from error
    options = onnxruntime.SessionOptions()
    # One thread: the same sums in the same order on any machine.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors: earlier bundles have optional inputs, as was meant
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions have no common base
        raise BundleError(
            f"{path}: onnxruntime cannot load it ({error}). Export the bundle again."
        ) from error


def _of_one_output() -> Any:
    """Return the options of a run that computes what is asked for, and no other level."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.only_execute_path_to_fetches = True
    return options


def _input_names(session: Any, manifest: Manifest) -> list[str]:
    """Return the decoder's input of each level, told by its number of codes.

    Bundles of earlier versions have a default for each input, which makes it another list's.
    """
    values = (*session.get_inputs(), *session.get_overridable_initializers())
    by_codes = {value.shape[-1]: value.name for value in values if value.name.startswith("latent")}
    expected = [level.codes for level in manifest.levels]
    if sorted(by_codes) != sorted(expected) or len(session.get_outputs()) != len(expected):
        raise BundleError(
            f"{DECODER_ONNX}: takes {sorted(by_codes)} codes, the manifest's levels have "
            f"{sorted(expected)}. Export the bundle again."
        )
    return [by_codes[codes] for codes in expected]
