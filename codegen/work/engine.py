"""The work of the engines around the kernels."""

from dynadeep.codegen.plan import Plan
from dynadeep.codegen.schedule import Schedule
from dynadeep.codegen.work.runs import Work, runs_of


def engine_work(plan: Plan) -> Work:
    """Return what is done besides the kernels: around each call, and for each value that comes."""
    values = plan.input_values
    kind = "values" if plan.manifest.codec is None else "samples"
    found = {"runs": 1, "stages": len(plan.network.layers), kind: values}
    if isinstance(plan.memory, Schedule):
        return {**found, **_streaming(plan, plan.memory)}
    return found


def _streaming(plan: Plan, schedule: Schedule) -> dict[str, float]:
    """Return the work of dd_stream.c: of stages that run, and of lines whose steps move."""
    calls = [runs_of(plan, number).calls for number in range(len(schedule.stages))]
    sources = [(count, one) for count, own in zip(calls, plan.sources, strict=True) for one in own]
    pushes = sum(count for count, one in sources if one.line == 0)
    moves = [_moving(schedule, line) for line in range(len(schedule.lines))]
    return {
        "calls": sum(calls),
        "sources": sum(count for count, _ in sources),
        "checks": sum(count * len(schedule.lines[one.line].readers) for count, one in sources),
        "scanned": min(pushes, plan.network.input.time) * len(schedule.stages),
        "moves": sum(times for times, _ in moves),
        "moved": sum(times * size for times, size in moves),
    }


def _moving(schedule: Schedule, number: int) -> tuple[float, float]:
    """Return about how often a line's steps move to its beginning, and how many bytes each time."""
    line = schedule.lines[number]
    if line.kept or line.life is not None or not line.readers:
        return 0, 0
    let_go = [
        stage.tile * source.window.stride / source.window.up
        for stage in schedule.stages
        for source in stage.sources
        if source.line == number
    ]
    at_once = max(line.hold, min(let_go))
    left = line.steps - at_once
    if at_once <= 0 or left <= 0:
        return 0, 0
    return line.tensor.time / at_once, left * line.tensor.channels
