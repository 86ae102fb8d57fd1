"""The batch program against the reference, and against the board that answers over a link."""

from pathlib import Path

import numpy as np
import pytest

from dynadeep.codegen.bundle import ENCODER_TFLITE, Bundle
from dynadeep.codegen.numerics import fixed_error, map_input, predicted_error
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.errors import HostError
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.study import deployed
from dynadeep.host_tools.study.deployed import DeployedCodes, Program, Samples
from dynadeep.host_tools.study.excerpt import sample_records

pytestmark = pytest.mark.heavy  # decodes, or holds it against TensorFlow


def segments_of(bundle: Bundle) -> Samples:
    """One segment of each patient that the network never saw, and two that end the scale."""
    real = [record.segments[0] for record in sample_records(bundle.manifest, segments=1)]
    length = bundle.manifest.segment_length
    flat = np.full(length, 1024, np.int16)
    wild = np.random.default_rng(1).integers(-32768, 32767, length, np.int16, endpoint=True)
    return np.stack([*real, flat, wild])


@pytest.fixture(scope="module")
def segments(bundle: Bundle) -> Samples:
    return segments_of(bundle)


@pytest.fixture(scope="module")
def published_segments(published_bundle: Bundle) -> Samples:
    return segments_of(published_bundle)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deployed")


@pytest.fixture(scope="module")
def encoded(bundle: Bundle, segments: Samples, folder: Path) -> DeployedCodes:
    return deployed.encode_segments(bundle, segments, folder)


@pytest.fixture(scope="module")
def published(published_bundle: Bundle, published_segments: Samples, folder: Path) -> DeployedCodes:
    return deployed.encode_segments(published_bundle, published_segments, folder / "published")


def check_against_reference(bundle: Bundle, segments: Samples, encoded: DeployedCodes) -> None:
    from dynadeep.export.reference import Reference

    inputs = map_input(segments, bundle.manifest.input_map)
    tensors = Reference(bundle.path(ENCODER_TFLITE)).run(inputs)
    for i, level in enumerate(bundle.manifest.levels):
        expected = tensors[level.latent_tensor].reshape(len(segments), -1)
        np.testing.assert_array_equal(encoded.codes[i], expected)
        heads = tensors[level.error_tensor].reshape(-1)
        assert encoded.predicted[:, i].tolist() == [predicted_error(int(c), level) for c in heads]
        assert len(np.unique(expected, axis=0)) > len(segments) // 2


def test_codes_and_predictions_are_the_references(bundle, segments, encoded):
    check_against_reference(bundle, segments, encoded)


def test_with_each_window_scaled_by_its_range_they_are_so_too(
    published_bundle, published_segments, published
):
    check_against_reference(published_bundle, published_segments, published)


def test_the_golden_vectors_are_met(bundle, folder):
    cases = golden_cases(bundle)
    samples = np.stack([case.input for case in cases])
    coded = deployed.encode_segments(bundle, samples, folder)
    for i, level in enumerate(bundle.manifest.levels):
        expected = [case.tensors[level.latent_tensor].ravel() for case in cases]
        np.testing.assert_array_equal(coded.codes[i], expected)
        heads = [int(case.tensors[level.error_tensor].item()) for case in cases]
        assert coded.predicted[:, i].tolist() == [predicted_error(code, level) for code in heads]


def test_packets_are_those_of_the_board_behind_its_link(
    bundle, segments, encoded, folder, firmware
):
    bounds = [0.0, float(np.median(encoded.predicted)) / (1 << 24), 127.0]
    levels = set()
    with pipeline.connect(bundle, "native", elf=firmware("native").elf) as station:
        for bound in bounds:
            CodecBoard(station.device).bound(fixed_error(bound))
            CodecBoard(station.device).reset(0)
            replies = [CodecBoard(station.device).encode(segment) for segment in segments]
            packets = deployed.packets_at(bundle, segments, bound, folder)
            assert packets == [reply.packet for reply in replies]
            predicted = [list(reply.predicted) for reply in replies]
            np.testing.assert_array_equal(encoded.predicted, predicted)
            for i, reply in enumerate(replies):
                assert reply.level != 0 or encoded.none_bytes[i] == len(reply.packet)
            levels |= {reply.level for reply in replies}
    assert {0, 2} <= levels


def test_many_are_decoded_as_one_is(bundle, segments, encoded):
    check_decoded(bundle, segments, encoded)


def test_many_are_scaled_back_by_the_range_of_each(published_bundle, published_segments, published):
    check_decoded(published_bundle, published_segments, published)


def check_decoded(bundle: Bundle, segments: Samples, encoded: DeployedCodes) -> None:
    decoder = Decoder(bundle)
    for level in (1, 2):
        codes = encoded.codes[level - 1]
        many = deployed.decode_codes(bundle, level, codes, segments)
        assert (many.dtype, many.shape) == (np.float32, segments.shape)
        for i, segment in enumerate(segments):
            limits = (int(segment.min()), int(segment.max()))
            single = decoder.decode_codes(level, codes[i], limits)
            # The sums' order differs, and the full scale of int16 is 65536.
            np.testing.assert_allclose(many[i], single, rtol=1e-4, atol=0.5)


def test_no_segments_give_no_rows(bundle, folder):
    coded = deployed.encode_segments(bundle, np.empty((0, 320), np.int16), folder)
    assert [codes.shape for codes in coded.codes] == [(0, 10), (0, 5)]
    assert coded.predicted.shape == (0, 2)
    assert coded.none_bytes.shape == (0,)


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 319), np.int16), np.zeros((2, 320)), np.zeros(320, np.int16)]
)
def test_segments_of_another_shape_or_type_are_refused(bundle, wrong, tmp_path):
    with pytest.raises(HostError, match=r"expected int16 of shape \[N, 320\]"):
        deployed.encode_segments(bundle, wrong, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_program_that_fails_is_an_error_and_no_result(tmp_path):
    script = tmp_path / "program"
    script.write_text("#!/bin/sh\necho model_encode returned status 3 >&2; exit 1\n")
    script.chmod(0o755)
    program = Program(script, np.dtype([("level", np.uint32)]), ())
    with pytest.raises(HostError, match="model_encode returned status 3"):
        deployed._run(program, np.zeros((1, 2000), np.int16), 0)
