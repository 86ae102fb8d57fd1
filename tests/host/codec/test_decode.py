"""Decoding many packets at once: each as it would be alone, by either kind of bundle."""

import dataclasses
import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from dynadeep.codegen.bundle import DECODER_ONNX, MANIFEST, read_bundle, sha256_of, write_manifest
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.decode import BATCH, Decoder
from dynadeep.host_tools.codec.packet import Packet

pytestmark = pytest.mark.heavy  # decodes with onnxruntime


def random_packets(manifest, count: int) -> list[Packet]:
    """Packets of every level by turns."""
    rng = np.random.default_rng(7)
    segments = rng.normal(0, 40, (count, manifest.segment_length)).cumsum(axis=1).astype(np.int16)
    drawn = []
    for sequence, segment in enumerate(segments):
        level = sequence % (len(manifest.levels) + 1)
        codes = rng.integers(-128, 128, manifest.levels[level - 1].codes).astype(np.int8)
        payload = packets.payload_of(manifest, level, segment, codes)
        drawn.append(Packet(level, packets.short_model_id(manifest), 0, sequence, payload))
    return drawn


def test_how_many_are_decoded_at_once_changes_no_bit(bundle):
    decoder = Decoder(bundle)
    sent = random_packets(bundle.manifest, 3 * BATCH + 5)
    together = decoder.decode_packets(sent)
    assert together.wrong == {}
    alone = np.stack([decoder.decode_packet(packet) for packet in sent])
    assert np.array_equal(together.ecg, alone)
    thirds = np.concatenate(
        [decoder.decode_packets(sent[i : i + 70]).ecg for i in range(0, 210, 70)]
    )
    assert np.array_equal(thirds, alone[:210])


def test_a_packet_that_does_not_decode_takes_no_other_with_it(bundle):
    decoder = Decoder(bundle)
    sent = random_packets(bundle.manifest, 9)
    sent[3] = dataclasses.replace(sent[3], payload=b"\xff" * 300)
    decoded = decoder.decode_packets(sent)
    assert list(decoded.wrong) == [3]
    assert "coded samples of 300 bytes do not decode" in str(decoded.wrong[3])
    assert np.isnan(decoded.ecg).all(axis=1).tolist() == [row == 3 for row in range(9)]


def test_a_bundle_whose_decoder_has_defaults_for_its_inputs_still_decodes(bundle, tmp_path):
    """As exports before this version made them."""
    folder = tmp_path / "bundle"
    shutil.copytree(bundle.folder, folder)
    proto = onnx.load(folder / DECODER_ONNX)
    for level, value in zip(bundle.manifest.levels, proto.graph.input, strict=True):
        zeros = np.zeros((1, 1, level.codes), np.float32)
        proto.graph.initializer.append(numpy_helper.from_array(zeros, value.name))
    (folder / DECODER_ONNX).write_bytes(proto.SerializeToString())
    files = bundle.manifest.files | {DECODER_ONNX: sha256_of(folder / DECODER_ONNX)}
    (folder / MANIFEST).unlink()
    write_manifest(folder, dataclasses.replace(bundle.manifest, files=files))
    sent = random_packets(bundle.manifest, 12)
    earlier = Decoder(read_bundle(folder)).decode_packets(sent)
    assert np.array_equal(earlier.ecg, Decoder(bundle).decode_packets(sent).ecg)
