"""Readers of the ECG databases."""
