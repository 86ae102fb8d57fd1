"""A live view of a board at work, in the terminal."""
