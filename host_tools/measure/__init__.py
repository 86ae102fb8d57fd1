"""What a board computes and costs: parity, latency, memory, their tables and reports."""
