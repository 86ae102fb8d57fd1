"""The MLPerf Tiny protocol: a device that speaks it, and what its runner needs (docs/mlperf.md)."""
