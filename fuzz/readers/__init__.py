"""The Python targets: each reads one kind of data that comes from outside."""

from fuzz.readers import archives, imports, model, recordings, training, wire
from fuzz.readers.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for module in (wire, model, imports, recordings, training, archives)
    for target in module.TARGETS
}
