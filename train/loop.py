"""The one training loop: the same on one CPU, one GPU, several of them or several hosts."""

import atexit
import ctypes
import json
import logging
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from torch import Tensor, nn

from dynadeep.codegen.errors import BusyError
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.lock import locked
from dynadeep.codegen.progress import counted
from dynadeep.train import resume
from dynadeep.train.errors import TrainError, TrainingFailedError

LOGGER = logging.getLogger(__name__)

WARM_UP = 0.25
"""The share of all steps in which the rate rises; it falls to zero over the rest."""

STATE, LOG = "state.safetensors", "metrics.jsonl"
RUN_FILES = (STATE, LOG)
"""What the loop keeps in a run's folder."""

Draw = Callable[[np.random.Generator], tuple[Tensor, ...]]
"""Returns all items of one epoch, the first axis of each tensor the items, alike everywhere."""


@dataclass(frozen=True)
class LoopConfig:
    """How a module is trained. ``batch`` counts the items of a step over all processes."""

    epochs: int
    batch: int = 32
    peak_rate: float = 3e-3
    clip_norm: float = 1.0
    weight_decay: float = 0.0
    seed: int = 0


def make_fabric(device: str = "cpu", devices: int = 1) -> Fabric:
    """Join this process to its run: call it first, and once, in each command that trains.

    ``device`` is cpu, cuda, or one GPU as cuda:1; ``devices`` how many of them on this machine.
    Under torchrun its environment says how many, and on how many hosts. Without it, more than one
    device starts this program again for each further one.
    Raises TrainError for devices that are not there.
    """
    nodes = 1
    if TorchElasticEnvironment.detect():
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    kind, _, index = device.partition(":")
    _check_devices(device, kind, index, devices)
    fabric = Fabric(
        accelerator=kind,
        devices=[int(index)] if index else devices,
        num_nodes=nodes,
        strategy="ddp" if devices * nodes > 1 else "auto",
    )
    keep_freed_memory()
    fabric.launch()
    atexit.register(_leave_group)
    _start_workers()
    return fabric


def _leave_group() -> None:
    """Leave the processes that train together: their threads, still at work, would abort Python."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


@contextmanager
def alone(fabric: Fabric, folder: Path) -> Iterator[None]:
    """Keep a folder to one run; its first process holds it for all of them.

    Raises BusyError, in every process, if another command is at work there.
    """
    with ExitStack() as lock:
        problem: BusyError | None = None
        if fabric.is_global_zero:
            try:
                lock.enter_context(locked(folder, wait=False))
            except BusyError as error:
                problem = error
        problem = fabric.broadcast(problem)
        if problem is not None:
            raise problem
        yield


def run(  # noqa: PLR0917  # the parts of a run, as each phase passes them
    fabric: Fabric,
    module: nn.Module,
    draw: Draw,
    config: LoopConfig,
    folder: Path,
    settings: Mapping[str, object],
    name: str,
) -> None:
    """Train ``module`` in place: ``module(*batch)`` is the mean loss of a batch's items.

    Only parameters with ``requires_grad`` change, and each of them must take part in the loss.
    Each process takes its share of every batch, so ``config.batch`` is the batch of the whole run;
    batch normalisation sees its share only. After each epoch ``folder`` has ``state.safetensors``
    and a line in ``metrics.jsonl``. A run that finds its own state goes on from there, on one
    process to the bit; ``settings`` are what else decides the result, such as a hash of the data.
    Raises CheckpointError if the state is damaged or of other settings, TrainingFailedError if
    the loss is not finite.
    """
    _check_config(config)
    settings = {**settings, **asdict(config)}
    adam = _optimiser(module, config)
    wrapped, stepper = fabric.setup(module, adam)
    first = _resume(fabric, module, adam, folder, settings)
    with counted(name, config.epochs, first) as advance, _flushed_denormals():
        for epoch in range(first, config.epochs):
            module.train()
            line = _train_epoch(fabric, wrapped, stepper, draw, config, epoch=epoch)
            if fabric.is_global_zero:
                _add_line(folder / LOG, json.dumps(line))
                resume.write_state(folder / STATE, module, adam, epoch + 1, settings)
                LOGGER.info("%s: %s", name, ", ".join(f"{k} {v:.6g}" for k, v in line.items()))
                advance.say(f"loss {line['loss']:.6g}")
                advance()
    for buffer in module.buffers():
        buffer.copy_(fabric.broadcast(buffer.cpu()))
    fabric.barrier()


def one_cycle(step: int, steps: int, peak: float) -> float:
    """Return the learning rate of a step: a cosine from peak/25 to peak, then down to zero."""
    done, low = step / steps, peak / 25
    if done < WARM_UP:
        return low + (peak - low) * (1 - math.cos(math.pi * done / WARM_UP)) / 2
    return peak * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2


def keep_freed_memory() -> None:
    """Have glibc keep freed blocks for the next step; elsewhere nothing happens.

    Otherwise each large activation is mapped anew and costs a page fault for every 4 KiB.
    """
    trim_threshold, mmap_threshold = -1, -3  # malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl and macOS have none, Windows no such CDLL
        return
    mallopt(mmap_threshold, 1 << 30)
    mallopt(trim_threshold, 2**31 - 1)


def _train_epoch(
    fabric: Fabric,
    module: nn.Module,
    adam: torch.optim.Optimizer,
    draw: Draw,
    config: LoopConfig,
    *,
    epoch: int,
) -> dict[str, float]:
    """Show the module one epoch of items; return what is logged of it.

    Every epoch draws from generators of its own, so a resumed run repeats an uninterrupted one.
    """
    random = np.random.default_rng([config.seed, epoch])
    items = tuple(tensor.to(fabric.device) for tensor in draw(random))
    count = len(items[0])
    order = torch.from_numpy(random.permutation(count)).to(fabric.device)
    steps = math.ceil(count / config.batch)
    total, rate = torch.zeros((), device=fabric.device), 0.0
    with _seeded(config.seed, epoch, fabric):
        for step in range(steps):
            rate = one_cycle(epoch * steps + step, config.epochs * steps, config.peak_rate)
            for group in adam.param_groups:
                group["lr"] = rate
            batch = order[step * config.batch : (step + 1) * config.batch]
            share, weight = share_of(batch, fabric.global_rank, fabric.world_size)
            adam.zero_grad()
            loss = module(*(tensor[share] for tensor in items))
            fabric.backward(loss * (weight * fabric.world_size))
            torch.nn.utils.clip_grad_norm_(_trainable(module), config.clip_norm)
            adam.step()
            total += loss.detach() * (weight * len(batch))
    mean = float(torch.as_tensor(fabric.all_reduce(total, reduce_op="sum"))) / count
    if not math.isfinite(mean):
        raise TrainingFailedError(
            f"epoch {epoch + 1}: the loss is {mean}. Lower peak_rate ({config.peak_rate})."
        )
    return {"epoch": epoch + 1, "loss": mean, "rate": rate}


def share_of(batch: Tensor, rank: int, world: int) -> tuple[Tensor, float]:
    """Return a process's share of a batch's indices, int64 [n], and what part of it that is.

    The parts sum to one. A process that a last, small batch leaves empty-handed shows its first
    item with weight zero, because all processes must take every step.
    """
    share = batch[rank::world]
    if len(share) == 0:
        return batch[:1], 0.0
    return share, len(share) / len(batch)


def _optimiser(module: nn.Module, config: LoopConfig) -> torch.optim.AdamW:
    """Build AdamW over what is trained; biases and normalisations do not decay."""
    trained = _trainable(module)
    if not trained:
        raise TrainError(f"{type(module).__name__}: no parameter requires a gradient.")
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.peak_rate, fused=True)


def _trainable(module: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that training may change."""
    return [p for p in module.parameters() if p.requires_grad]


def _resume(
    fabric: Fabric,
    module: nn.Module,
    adam: torch.optim.Optimizer,
    folder: Path,
    settings: Mapping[str, object],
) -> int:
    """Put back what the first process finds in its folder; return the epochs that are done."""
    state: resume.State | TrainError | None = None
    if fabric.is_global_zero:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            state = resume.read_state(folder / STATE, settings)
        except TrainError as problem:
            state = problem  # the others wait for it too
    state = fabric.broadcast(state)
    if isinstance(state, TrainError):
        raise state
    if state is not None:
        resume.restore(state, module, adam)
    done = state.epochs_done if state else 0
    if fabric.is_global_zero:
        _keep_lines(folder / LOG, done)
    return done


def _keep_lines(log: Path, count: int) -> None:
    """Cut a log to the epochs that its state has."""
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True) if log.is_file() else []
    write_whole(log, "".join(lines[:count]))


def _add_line(log: Path, line: str) -> None:
    """Add a line to a log, so that a crash leaves no half one."""
    write_whole(log, f"{log.read_text(encoding='utf-8')}{line}\n")


@contextmanager
def _seeded(seed: int, epoch: int, fabric: Fabric) -> Iterator[None]:
    """Seed what modules draw, such as dropout, for one epoch of one process."""
    process_seed = np.random.SeedSequence([seed, epoch, fabric.global_rank]).generate_state(
        1, np.uint64
    )
    gpus = [fabric.device.index] if fabric.device.type == "cuda" else []
    with torch.random.fork_rng(gpus):
        torch.manual_seed(int(process_seed[0]))
        yield


@contextmanager
def _flushed_denormals() -> Iterator[None]:
    """Take denormal numbers as zero meanwhile: they are slow on CPUs, and weigh nothing."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _start_workers() -> None:
    """Start PyTorch's threads so that they flush denormals: they keep what they begin with."""
    with _flushed_denormals():
        torch.ones(torch.get_num_threads() << 16).add(1)


def _check_config(config: LoopConfig) -> None:
    """Refuse settings that train nothing."""
    if config.epochs < 1 or config.batch < 1:
        raise TrainError(f"epochs {config.epochs}, batch {config.batch}: both must be at least 1.")


def _check_devices(device: str, kind: str, index: str, devices: int) -> None:
    """Refuse devices that are not there before any work is done."""
    if kind not in ("cpu", "cuda") or (index and not (kind == "cuda" and index.isdecimal())):
        raise TrainError(f"device {device!r}: use cpu, cuda or one GPU such as cuda:0.")
    if devices < 1 or (index and devices > 1):
        raise TrainError(f"device {device!r}, devices {devices}: name one GPU, or count them.")
    if kind == "cuda" and not torch.cuda.is_available():
        raise TrainError(f"device {device!r}: PyTorch finds no GPU here. Use 'cpu'.")
    if kind == "cuda" and torch.cuda.device_count() < max(devices, int(index or 0) + 1):
        raise TrainError(
            f"device {device!r}, devices {devices}: this machine has {torch.cuda.device_count()}."
        )
