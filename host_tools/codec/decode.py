"""The receiver's side: packets back to ECG in ADC units, with the bundle's trained decoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import DECODER_ONNX, Bundle, Manifest
from dynadeep.codegen.errors import BundleError, MissingDependencyError
from dynadeep.codegen.numerics import LEVEL_NONE
from dynadeep.host_tools.codec import packet as packets

Ecg = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]

BATCH = 32
"""Segments that the network decodes at once: about three times as fast as one by one."""


class Decoder:
    """The trained decoder of one bundle.

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

    def decode(self, data: bytes) -> Ecg:
        """Return the segment of one packet, float [T], ADC units.

        Raises:
            PacketError: the packet cannot be trusted or belongs to another model.
        """
        return self.decode_packet(packets.decode(data, self.manifest))

    def decode_packet(self, packet: packets.Packet) -> Ecg:
        """Return the segment of a packet that ``packet.decode`` has checked, float [T], ADC units.

        Raises:
            PacketError: its payload is not what coding a segment gives.
        """
        content = packets.content_of(packet, self.manifest)
        if content.samples is not None:
            return content.samples.astype(np.float64)
        assert content.codes is not None
        return self.decode_codes(packet.level, content.codes, content.window_range)

    def decode_codes(
        self, level: int, codes: Codes, window_range: tuple[int, int] | None = None
    ) -> Ecg:
        """Return the segment of a compressed level's codes, int8 [codes] -> float [T], ADC units.

        Args:
            level: 1 to the manifest's number of levels.
            codes: int8, as the latent tensor holds them.
            window_range: the window's least and greatest sample, with the minmax input map.
        """
        (values,) = self._run(level, codes[None])
        return to_adc(values.astype(np.float64), self.manifest, window_range)

    def decode_many(
        self, level: int, codes: Codes, ranges: Sequence[tuple[int, int]] | None = None
    ) -> npt.NDArray[np.float32]:
        """Return the segments of N lots of codes, int8 [N, codes] -> float32 [N, T], ADC units.

        As ``decode_codes``, but for the last bits: the network takes ``BATCH`` of them at a time.
        """
        decoded = np.empty((len(codes), self.manifest.segment_length), np.float32)
        for start in range(0, len(codes), BATCH):
            values = self._run(level, codes[start : start + BATCH]).astype(np.float64)
            for i, one in enumerate(values, start):
                decoded[i] = to_adc(one, self.manifest, None if ranges is None else ranges[i])
        return decoded

    def _run(self, level: int, codes: Codes) -> npt.NDArray[np.float32]:
        """Return the network's output, float32 [N, T], in its input units, of int8 [N, codes]."""
        if level == LEVEL_NONE:
            raise ValueError("level 0 has no codes")
        latent = self.manifest.levels[level - 1].latent
        real = (codes.astype(np.float32) - latent.zero_point) * np.float32(latent.scale)
        feeds = {self._inputs[level - 1]: real[:, None, :]}
        (decoded,) = self._session.run([self._outputs[level - 1]], feeds)
        return np.asarray(decoded, np.float32).reshape(len(codes), -1)


def to_adc(values: Ecg, manifest: Manifest, window_range: tuple[int, int] | None) -> Ecg:
    """Undo the input map: the network's input units, float [T], to ADC units."""
    codes = values / manifest.input.scale + manifest.input.zero_point
    mapping = manifest.input_map
    if mapping.kind == "affine":
        return codes * (1 << mapping.shift) / mapping.multiplier + mapping.offset
    if window_range is None:
        raise ValueError("the minmax input map needs the window's range")
    low, high = window_range
    return (codes + 128) / 255 * (high - low) + low


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
    options.log_severity_level = 3  # errors: optional inputs are meant
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions have no common base
        raise BundleError(
            f"{path}: onnxruntime cannot load it ({error}). Export the bundle again."
        ) from error


def _input_names(session: Any, manifest: Manifest) -> list[str]:
    """Return the decoder's input of each level, told by its number of codes."""
    values = (*session.get_inputs(), *session.get_overridable_initializers())
    by_codes = {value.shape[-1]: value.name for value in values if value.name.startswith("latent")}
    expected = [level.codes for level in manifest.levels]
    if sorted(by_codes) != sorted(expected) or len(session.get_outputs()) != len(expected):
        raise BundleError(
            f"{DECODER_ONNX}: takes {sorted(by_codes)} codes, the manifest's levels have "
            f"{sorted(expected)}. Export the bundle again."
        )
    return [by_codes[codes] for codes in expected]
