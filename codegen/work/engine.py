"""The work of the engines around the kernels."""

from dynadeep.codegen.plan import Plan
from dynadeep.codegen.schedule import Schedule
from dynadeep.codegen.work.runs import Work, runs_of


def engine_work(plan: Plan) -> Work:
    """Return what is done besides the kernels: around each call, and for each value that comes."""
    values = plan.input_values
    kind = "values" if plan.manifest.codec is None else "samples"
    work = {"runs": 1, "stages": len(plan.network.layers), kind: values}
    if isinstance(plan.memory, Schedule):
        return {**work, **_streaming(plan, plan.memory)}
    return work


def _streaming(plan: Plan, schedule: Schedule) -> dict[str, float]:
    """Return the work of dd_stream.c: of stages that run, and of lines whose steps move."""
    calls = [runs_of(plan, number).calls for number in range(len(schedule.stages))]
    sources = [
        (count, source) for count, own in zip(calls, plan.sources, strict=True) for source in own
    ]
    moves = [(line.tensor.channels, line.moves) for line in schedule.lines]
    return {
        "calls": sum(calls),
        "sources": sum(count for count, _ in sources),
        "checks": sum(
            count * len(schedule.lines[source.line].readers) for count, source in sources
        ),
        "pieces": schedule.pieces,
        "scanned": schedule.pieces * len(schedule.stages),
        "moves": sum(len(steps) for _, steps in moves),
        "moved": sum(channels * sum(steps) for channels, steps in moves),
    }
