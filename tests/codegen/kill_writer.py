"""Kill a writer with SIGKILL at every line of its module, one by one; print what is left.

Run as a program of its own with a path and "file", "folder" or "checkpoint"; prints a JSON list of
[whether it was killed, {file under the path: its content}] for each kill, the last one not killed.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from dynadeep.codegen import files

MODULES = {"file": "files.py", "folder": "files.py", "checkpoint": "weights.py"}


def write_new(path: Path, what: str) -> None:
    if what == "file":
        files.write_whole(path, "new")
        return
    if what == "checkpoint":
        write_checkpoint(path, "new")
        return
    with files.write_folder_whole(path) as folder:
        (folder / "new.txt").write_text("new")


def write_old(path: Path, what: str) -> None:
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    if what == "file":
        path.write_text("old")
    elif what == "checkpoint":
        write_checkpoint(path, "old")
    else:
        path.mkdir()
        (path / "old.txt").write_text("old")


def write_checkpoint(path: Path, content: str) -> None:
    import torch

    from dynadeep.train import weights

    tensors = {"w": torch.full((4,), float(content == "new"))}
    weights.write(path, tensors, {"content": content})


def read_checkpoint(path: Path) -> dict[str, object]:
    from dynadeep.train import weights

    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    tensors = weights.read_tensors(path, weights.Written(**record["weights"]))
    return {"record": record["content"], "weights": float(tensors["w"][0])}


def kill_after(lines: int, module: str) -> None:
    """Have this process killed before it runs one more than so many lines of a module."""
    left = lines

    def trace(frame, event, _):
        nonlocal left
        if Path(frame.f_code.co_filename).name != module:
            return None
        if event == "line":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def left_of(path: Path) -> dict[str, object]:
    if path.suffix == ".safetensors":
        return read_checkpoint(path)
    if path.is_file():
        return {"": path.read_text(encoding="utf-8")}
    return {item.name: item.read_text(encoding="utf-8") for item in sorted(path.glob("*"))}


def main(path: Path, what: str) -> None:
    outcomes: list[dict[str, str]] = []
    killed = True
    while killed:
        write_old(path, what)
        child = os.fork()
        if child == 0:
            kill_after(len(outcomes), MODULES[what])
            write_new(path, what)
            os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        outcomes.append((killed, left_of(path)))
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
