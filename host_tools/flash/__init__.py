"""Firmware onto real boards: through pyOCD, OpenOCD or a program of the board's own."""
