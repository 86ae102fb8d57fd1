import pytest

from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings.channel import Channel, Recording
from dynadeep.host_tools.recordings.leads import choose, is_lead


def recording(*names: str, unit: str = "mV") -> Recording:
    def load():
        raise AssertionError("a channel was read before it was chosen")

    return Recording("r", tuple(Channel(name, unit, 300.0, load) for name in names))


@pytest.mark.parametrize(
    "name",
    ["MLII", "II", "aVR", "V5", "V1", "I", "ECG", "ECG1", "ECG Lead II", "Lead I", "EKG_1", "v4R"],
)
def test_leads_are_known_by_their_usual_names(name):
    assert is_lead(name)


@pytest.mark.parametrize("name", ["RESP", "PLETH", "ABP", "EEG C3", "EMG", "IV", "", "0", "Vein"])
def test_what_is_no_lead_is_not_taken_for_one(name):
    assert not is_lead(name)


def test_the_first_of_several_leads_is_taken_and_that_is_said():
    channel, remark = choose(recording("RESP", "MLII", "V5"), None)
    assert (channel.name, remark) == ("MLII", "channel 1 (MLII) of 3, the first of 2 leads")


def test_a_single_channel_may_be_nameless():
    assert choose(recording(""), None)[1] == "its only channel"


def test_a_single_channel_of_another_name_is_refused_until_it_is_named():
    with pytest.raises(EcgError, match="'RESP', which is no ECG lead"):
        choose(recording("RESP"), None)
    assert choose(recording("RESP"), "0")[0].name == "RESP"


def test_channels_without_a_lead_among_them_are_refused_with_their_names():
    with pytest.raises(EcgError, match=r"2 channels, .* 0 \(RESP\), 1 \(PLETH\)"):
        choose(recording("RESP", "PLETH"), None)


def test_a_name_that_two_channels_have_is_refused_with_their_numbers():
    with pytest.raises(EcgError, match="channels 0, 2 are all called 'ii'"):
        choose(recording("II", "V1", "II"), "ii")


def test_a_channel_that_there_is_not_is_refused():
    with pytest.raises(EcgError, match="has no channel '2'"):
        choose(recording("I", "II"), "2")
    with pytest.raises(EcgError, match="has no channel '-1'"):
        choose(recording("I", "II"), "-1")


def test_a_lead_that_is_no_voltage_is_refused():
    with pytest.raises(EcgError, match="in mmHg, which is no voltage"):
        choose(recording("V1", unit="mmHg"), "V1")
