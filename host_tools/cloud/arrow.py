"""What of pyarrow type checkers do not know: it is made as it is loaded, or stated wrongly."""

from typing import Any

import pyarrow.compute
import pyarrow.parquet

compute: Any = pyarrow.compute
write_table: Any = pyarrow.parquet.write_table
