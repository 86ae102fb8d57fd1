"""Byte streams to a board: serial ports and emulators."""
