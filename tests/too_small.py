"""The emulated board that the shipped network does not fit."""

TOO_SMALL = "stm32vldiscovery"
"""Its 8 KB of RAM hold the published network, and not the one that the kit ships."""
