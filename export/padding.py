"""How PyTorch's padding is said in TensorFlow."""


def padding_mode(samples: int, kernel: int, stride: int, before: int, after: int) -> str:
    """Return how TensorFlow can pad the same: "VALID", "SAME", or "PAD" for neither.

    SAME puts the smaller half before the signal, and counts only what the last step reaches:
    with a stride it differs from PyTorch's symmetric padding.
    """
    if before == after == 0:
        return "VALID"
    steps = (samples + before + after - kernel) // stride + 1
    reached = max((steps - 1) * stride + kernel - samples - before, 0)
    same_steps = -(-samples // stride)
    same = max((same_steps - 1) * stride + kernel - samples, 0)
    alike = steps == same_steps and (before, reached) == (same // 2, same - same // 2)
    return "SAME" if alike else "PAD"
