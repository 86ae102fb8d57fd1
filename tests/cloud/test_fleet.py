"""Simulated devices, and what the collector makes of what they send."""

import json
import random

import pytest

from dynadeep.host_tools.cli import run
from dynadeep.host_tools.cloud.encoded import encode, read_signals
from dynadeep.host_tools.cloud.fleet import Rates, Truth, deliveries, fill
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.errors import EcgError
from tests.conftest import ROOT

from .sending import rows

DATA = ROOT / "train" / "data" / "cinc2017_sample"
NAMES = ("d0", "d1", "d2")


@pytest.fixture(scope="module")
def records(bundle, firmware):
    signals = read_signals(DATA, bundle.manifest, 40, random.Random(1), lambda error: None)
    return encode(bundle, firmware("native").elf, signals, bundle.manifest.default_bound)


def load(records, manifest, truth=None, **changes):
    options = {"days": 0.02, "rates": Rates(0.05, 0.02, 0.01), "seed": 3}
    truth = Truth() if truth is None else truth
    return deliveries(NAMES, records, manifest, truth=truth, **(options | changes))


def test_the_firmware_encodes_real_recordings_at_several_levels(records, bundle):
    assert sum(map(len, records)) == 40
    assert len(records) >= 8
    assert len({segment.level for record in records for segment in record}) > 1


def test_the_archive_of_a_fleet_is_what_is_true_of_it(tmp_path, records, bundle):
    truth, delivered = Truth(), []
    load_of_fleet = load(records, bundle.manifest, truth)
    counts = fill(
        tmp_path,
        bundle.manifest,
        (delivered.append(delivery) or delivery for delivery in load_of_fleet),
    )
    assert truth.restarts > 5
    assert counts["repeated"] == truth.repeated > 100
    assert counts["restart"] == truth.restarts
    assert counts["packet"] == truth.delivered == truth.segments - truth.lost
    sent = [
        (delivery.message.device, delivery.message.payload)
        for delivery in delivered
        if not delivery.is_repeat
    ]
    there = [row for row in rows(tmp_path, "device", "packet", "kind") if row[2] == "packet"]
    assert sorted(sent) == sorted(row[:2] for row in there)
    assert sum(count for kind, count in rows(tmp_path, "kind", "count") if kind == "gap") == lost(
        delivered
    )


def lost(delivered) -> int:
    """Return the segments that are missing before one that came: others nobody can know of."""
    places: dict[tuple[str, int], set[int]] = {}
    for delivery in delivered:
        places.setdefault((delivery.message.device, delivery.run), set()).add(delivery.number)
    return sum(max(numbers) - min(numbers) + 1 - len(numbers) for numbers in places.values())


def test_the_same_seed_gives_the_same_load_and_another_another(records, bundle):
    manifest = bundle.manifest
    first = [delivery.message for delivery in load(records, manifest)]
    assert first == [delivery.message for delivery in load(records, manifest)]
    assert first != [delivery.message for delivery in load(records, manifest, seed=4)]


def test_every_packet_of_a_fleet_is_one_of_its_model(records, bundle):
    manifest = bundle.manifest
    for delivery in load(records, manifest, days=0.002):
        packet = packets.decode(delivery.message.payload, manifest)
        assert packet.sequence == delivery.number % 65536


def test_a_folder_without_recordings_is_named(tmp_path, bundle):
    with pytest.raises(EcgError, match="none of 0 recordings"):
        read_signals(tmp_path, bundle.manifest, 4, random.Random(1), lambda error: None)


def test_the_command_makes_an_archive_and_tells_what_is_true(tmp_path, bundle, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["fleet", "--data", str(DATA), "--archive", "archive", "--bundle", str(bundle.folder)]
    command += ["--devices", "2", "--days", "0.01", "--distinct", "10", "--json", "-"]
    assert run(command) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["archived"]["packet"] == report["truth"]["delivered"] > 1000
    assert run(command) == 2
    assert "name a new folder" in capsys.readouterr().err
