"""Turn what was measured on every record into the figures, tables and plots of `results/`."""
