"""Read ECG, train the Dynamic-Deep networks, and keep the results as checkpoints."""
