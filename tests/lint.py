"""Hold generated C to cppcheck: python -m tests.lint."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from dynadeep.codegen.board import load_board
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.plan import plan_model
from dynadeep.host_tools.toolchain import require
from tests.codegen.models import manifest_for, small_encoder

BOARDS = ("mps2-an386", "native")
CPPCHECK = (
    *("--quiet", "--std=c11", "--error-exitcode=1", "--inline-suppr"),
    "--enable=warning,performance,portability",
    # That right shifts are arithmetic is asserted where it is used, in dd_requant.h.
    *("--suppress=shiftNegativeLHS", "--suppress=shiftTooManyBitsSigned"),
)


def main(boards: Sequence[str] = BOARDS) -> int:
    """Generate a small model's project for each board and check its sources."""
    return max(check(name) for name in boards)


def check(name: str) -> int:
    """Check one board's project; return cppcheck's exit status, 0 if it finds nothing."""
    net = small_encoder()
    content = net.model.build()
    plan = plan_model(content, manifest_for(net, content))
    with TemporaryDirectory() as folder:
        project = Path(folder) / name
        write_project(project_files(plan, load_board(name)), project)
        parts = ("model", "runtime", "app", "board")
        command = [require("cppcheck"), *CPPCHECK, *(f"-I{part}" for part in parts), *parts]
        return subprocess.run(command, cwd=project, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
