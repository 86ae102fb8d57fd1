"""Recordings of ECG: read from files, brought to the model's ADC units, cut into segments."""
