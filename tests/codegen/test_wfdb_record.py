from pathlib import Path

import pytest

from dynadeep.codegen import wfdb_record
from dynadeep.codegen.errors import DynadeepError


def test_a_header_that_declares_a_signal_and_describes_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.hea").write_bytes(b"r 1 360 392\n\xff\xff ")
    with pytest.raises(DynadeepError, match="declares 1 signals and describes 0"):
        wfdb_record.read_header(tmp_path / "r")
