from dataclasses import replace
from pathlib import Path

import pytest

from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import cost
from dynadeep.train.evaluation.cost import ARRIVAL, FETCH, Prices

# One bed at 1000 samples a second: 63.072 GB a year; half a segment a second.
PRICES = Prices(
    source="made up",
    storage_per_gb_month=1.0,
    vcpu_hour=1.0,
    ingress_per_gb=2.0,
    egress_per_gb=10.0,
    beds=1,
    rate_hz=1000,
    channels=1,
    retention_months=6,
    vcpu_ms_per_segment=1000,
)
RAW_GB = 63.072


def test_the_fleet_fills_what_its_samples_take() -> None:
    assert PRICES.raw_gb == pytest.approx(RAW_GB)
    assert PRICES.vcpus == 0.5


@pytest.mark.parametrize("model", cost.MODELS)
def test_raw_pays_for_ingress_storage_and_what_leaves(model: str) -> None:
    # Ingress 2 a GB; half a year's GB stored for 12 months at 1; a quarter leaves at 10.
    expected = RAW_GB * (2 + 6 + 2.5)
    assert cost.yearly(PRICES, model, 1.0, 0.25, decoded=False) == pytest.approx(expected)


def test_decoding_on_arrival_rents_whole_vcpus_all_year() -> None:
    expected = RAW_GB / 10 * 8 + 8760
    assert cost.yearly(PRICES, ARRIVAL, 10.0, 0.0, decoded=True) == pytest.approx(expected)


def test_decoding_on_fetch_pays_for_the_fetched_share() -> None:
    expected = RAW_GB / 10 * 8 + RAW_GB * 0.2 * 10 + 0.5 * 0.2 * 8760
    assert cost.yearly(PRICES, FETCH, 10.0, 0.2, decoded=True) == pytest.approx(expected)


def test_a_model_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="'never' is not one of"):
        cost.yearly(PRICES, "never", 1.0, 0.0, decoded=False)


def test_the_shipped_prices_are_of_200_beds_and_name_their_source() -> None:
    prices = cost.read_prices()
    assert prices.beds == 200
    assert "edit for yours" in prices.source


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("beds = 200", "", 'key "beds" is missing'),
        ("beds = 200", 'beds = "many"', "key \"beds\" is 'many', expected a number"),
        ("beds = 200", "beds = -1", 'key "beds" is -1, expected a number from 0'),
        ("beds = 200", "beds = nan", '"fleet.beds" is nan'),
        ("beds = 200", "beds = = 2", "not TOML"),
        ("beds = 200", "beds = 200\nnurses = 3", 'unknown key "nurses"'),
        ("source =", "origin =", 'unknown key "origin"'),
    ],
)
def test_a_price_file_that_is_not_one_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(cost.PRICES_PATH.read_text(encoding="utf-8").replace(old, new))
    with pytest.raises(DataError, match=message):
        cost.read_prices(path)


def test_a_higher_gain_costs_less() -> None:
    prices = replace(PRICES, vcpu_hour=0.0)
    costs = [cost.yearly(prices, FETCH, gain, 0.1, decoded=True) for gain in (1.0, 3.0, 40.0)]
    assert costs == sorted(costs, reverse=True)
