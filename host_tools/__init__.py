"""Build, run, check, measure and report firmware, on a board or in an emulator."""

from dynadeep.codegen.version import __version__ as __version__
