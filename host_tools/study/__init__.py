"""What a study of networks needs beside a board: training's code, its data, many segments."""
