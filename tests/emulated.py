"""The boards that an emulator runs, and the one of them that the shipped network does not fit."""

from dynadeep.codegen.board import board_names, load_board

EMULATED = [name for name in board_names() if load_board(name).emulator is not None]
TOO_SMALL = "stm32vldiscovery"
"""Its 8 KB of RAM hold the published network, and not the one that the kit ships."""
