"""Decoding on a Ray cluster that runs already: its output is that of ``local``, to the byte."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dynadeep.host_tools.cli import run
from dynadeep.host_tools.errors import HostError
from tests.caching import SMALL_BUNDLE
from tests.cloud.secured import free_port

from . import decoding

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # Ray's own, within Ray
]

PATIENCE_S = 180.0
STARTED = re.compile(r"Ray runtime started")


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a cluster of one node with two cores, and yield its address."""
    folder, port = tmp_path_factory.mktemp("ray"), free_port()
    script = Path(sys.executable).with_name("ray")
    command = [str(script), "start", "--head", "--block", f"--port={port}", "--num-cpus=2"]
    command += ["--include-dashboard=false", "--disable-usage-stats", "--node-ip-address=127.0.0.1"]
    roots = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env=os.environ | roots
        )
    try:
        end_s = time.monotonic() + PATIENCE_S
        while not STARTED.search((folder / "log").read_text()):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end_s, (folder / "log").read_text()
            time.sleep(0.2)
        yield f"127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def decode(root: Path, out: Path, *options: str) -> int:
    return run(
        ["decode", "--archive", str(root), "--out", str(out), "--bundles", str(SMALL_BUNDLE),
         *options]
    )  # fmt: skip


def test_a_cluster_writes_the_bytes_of_local_and_goes_on_running(head, tmp_path, capsys):
    root = tmp_path / "archive"
    for device in ("a", "b"):
        decoding.put_days(root, 3, 6, device)
    assert decode(root, tmp_path / "local", "--workers", "1") == 0
    ray = ["--engine", "ray", "--workers", "2", "--address", head]
    for out in ("ray", "again"):  # the cluster outlives the first
        assert decode(root, tmp_path / out, *ray) == 0, capsys.readouterr().err
        files = sorted((tmp_path / "local").rglob("ecg.parquet"))
        assert len(files) == 6
        for path in files:
            twin = tmp_path / out / path.relative_to(tmp_path / "local")
            assert twin.read_bytes() == path.read_bytes()


def test_an_address_where_no_cluster_answers_is_named(tmp_path, capsys):
    decoding.put_days(tmp_path / "archive", 1, 2)
    address = f"127.0.0.1:{free_port()}"
    status = decode(tmp_path / "archive", tmp_path / "out", "--engine", "ray", "--address", address)
    assert status == HostError.exit_status
    assert f"does not answer at {address}" in capsys.readouterr().err
