"""Memory of decoding does not grow with the archive."""

import subprocess
import sys

import pytest

from tests.caching import SMALL_BUNDLE

from .decoding import put_days

pytestmark = pytest.mark.heavy

PROGRAM = """
import re, sys
from dynadeep.host_tools.cli import run
assert run(["decode", "-q", "--archive", sys.argv[1], "--out", sys.argv[2], "--bundle", sys.argv[3],
            "--workers", "1"]) == 0
# Not getrusage: its peak begins with that of the process that started this one.
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


def test_ten_times_the_archive_takes_no_more_memory(tmp_path):
    peaks = []
    for days in (3, 30):
        root = tmp_path / f"archive-{days}"
        put_days(root, days, 800)  # 30 days are 30 MB of samples
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, root, tmp_path / f"out-{days}", SMALL_BUNDLE],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(done.stdout.splitlines()[-1]))
    assert peaks[1] <= 1.1 * peaks[0], f"{peaks} KiB"
