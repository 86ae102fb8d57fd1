"""The codec's host side: packets decoded back to ECG, and a board streamed through."""
