"""Cycles of an emulated run: exact counts of what was executed, priced by each core's timing."""
