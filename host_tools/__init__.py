"""Build, run, check, measure and report firmware, on a board or in an emulator."""
