"""Boards to open, small manifests for tests that need no exported model, altered bundles."""

import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from dynadeep.codegen.bundle import (
    ENCODER_TFLITE,
    MANIFEST,
    Bundle,
    Codec,
    InputMap,
    Level,
    Manifest,
    Quantization,
    TensorSpec,
    sha256_of,
)
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.pipeline import Station
from dynadeep.host_tools.toolchain import Firmware

ManifestMaker = Callable[..., Manifest]
FirmwareMaker = Callable[..., Firmware]
StationOpener = Callable[[str], AbstractContextManager[Station]]


def opener(bundle: Bundle, firmware: FirmwareMaker) -> StationOpener:
    def start(board: str) -> AbstractContextManager[Station]:
        elf = firmware(board, sanitize=board == "native").elf
        return pipeline.connect(bundle, board, elf=elf)

    return start


@pytest.fixture(scope="session")
def station(bundle, firmware) -> StationOpener:
    """Open a board with the small model's firmware; the native one is built with sanitizers."""
    return opener(bundle, firmware)


@pytest.fixture(scope="session")
def shipped_station(shipped_bundle, shipped_firmware) -> StationOpener:
    """Open a board with the shipped model's firmware; the native one is built with sanitizers."""
    return opener(shipped_bundle, shipped_firmware)


def make_level(name: str, codes: int, segment_length: int) -> Level:
    return Level(
        name=name,
        codes=codes,
        gain=segment_length / codes,
        latent_tensor=f"{name}/silu",
        latent=Quantization(0.5, 3),
        error_tensor=f"{name}/conv",
        error=Quantization(0.125, -128),
        margins=(0.0, 1.0, 0.5),
        record_margins=(0.0, 1.0, 0.5),
    )


@pytest.fixture(scope="session")
def make_manifest() -> ManifestMaker:
    def make(
        kind: str = "affine", segment_length: int = 2000, model_id: str = "0123456789abcdef"
    ) -> Manifest:
        affine = InputMap("affine", 1024, 8192, 15)
        return Manifest(
            model_id=model_id,
            kit_version="0.1.0",
            sample_rate_hz=360,
            inputs=(TensorSpec(1 / 128, 0, "segment", segment_length, 1),),
            outputs=(TensorSpec(0.5, 3, "cg32/silu", 62, 1),),
            codec=Codec(
                adc_gain=200.0,
                adc_baseline=1024,
                error_unit="PRD %",
                default_bound=8.0,
                margin_bounds=(0.0, 4.0, 16.0),
                input_map=affine if kind == "affine" else InputMap("minmax"),
                levels=tuple(
                    make_level(name, codes, segment_length)
                    for name, codes in (("cg32", 62), ("cg64", 31))
                ),
            ),
            files={},
            record={},
        )

    return make


@pytest.fixture
def copied_bundle(bundle: Bundle, tmp_path: Path) -> Path:
    """The small model's bundle, to be altered."""
    folder = tmp_path / "bundle"
    shutil.copytree(bundle.folder, folder)
    return folder


@pytest.fixture
def rewrite_model() -> Callable[[Path, bytes], None]:
    """Put another encoder.tflite into a bundle, with a manifest that names it."""

    def rewrite(folder: Path, content: bytes) -> None:
        (folder / ENCODER_TFLITE).write_bytes(content)
        manifest = json.loads((folder / MANIFEST).read_text())
        manifest["files"][ENCODER_TFLITE] = sha256_of(folder / ENCODER_TFLITE)
        manifest["model_id"] = manifest["files"][ENCODER_TFLITE][:16]
        (folder / MANIFEST).write_text(json.dumps(manifest))

    return rewrite


@pytest.fixture
def fails(capsys):
    """Run a command that must fail, and return its one line on standard error."""

    def check(status: int, *arguments: object) -> str:
        exit_status = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        # What came before may tell how far it was, or what was made of a recording.
        *before, line = captured.err.splitlines()
        assert exit_status == status, captured.err
        assert line.startswith("dynadeep: ")
        assert not [line for line in before if line.startswith("dynadeep: ")]
        assert "Traceback" not in captured.out + captured.err
        return line

    return check
