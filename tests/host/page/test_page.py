"""report.html: whole in itself, safe from what it shows, and without an error in a browser."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dynadeep.host_tools.cycles.estimate import CyclesEstimate
from dynadeep.host_tools.page.compare import compare
from dynadeep.host_tools.page.document import Document
from dynadeep.host_tools.page.html import html_of
from tests.host.page import sample

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--enable-logging=stderr", "--virtual-time-budget=2000"),
)
THEMES = {"dark": "0", "light": "1"}
LARGEST_BYTES = 2_000_000
SETUPS = 24
"""More than a benchmark of all boards has."""

in_browser = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")


class Outline(HTMLParser):
    """What a page is made of."""

    VOID = ("meta", "link", "br", "line", "rect", "path")

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def report(bundle) -> Document:
    return sample.whole(bundle)


def test_the_verdict_and_the_figures_stand_on_top(report):
    text = html_of([report])
    order = ["everything held", ">Parity<", ">Latency<", ">Flash<", ">RAM<", "Latency by layer"]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


@pytest.mark.parametrize("engine", ["stream", "layers"])
def test_every_layer_and_tensor_of_a_plan_is_shown(bundle, engine):
    report = sample.whole(bundle, engine)
    text = html_of([report])
    for layer in report.network.layers:
        assert f'<td class="">{layer.name}</td>' in text
    assert text.count("from offset") == len(report.network.spans)


def test_the_first_difference_is_drawn_over_the_reference(report):
    text = html_of([sample.differing(report)])
    assert "something did NOT hold" in text
    assert "first difference, step 148" in text
    assert "172 of the tensor&#39;s 640 values differ" in text


def test_what_changed_is_shown(report):
    worse = replace(report, memory=replace(report.memory, ram_bytes=2 * report.memory.ram_bytes))
    text = html_of([worse], compare([worse], [report], "old.json", 2.0))
    assert "Worse than before: RAM bytes" in text
    assert "+100.00 %" in text


def test_estimated_cycles_are_called_an_estimate(report):
    estimate = CyclesEstimate(
        core="cortex-m4",
        source="the core's manual",
        assumed="nothing else",
        wait_states=5,
        cache_hit_rate=0.9,
        total=27_650_000,
        besides=1_000,
        layers={"conv1": 9_999},
        functions={"dd_conv1d_s8": 9_000},
        instructions=20_000_000,
        instructions_by_layer={"conv1": 7_000},
    )
    text = html_of([replace(report, latency=replace(report.latency, cycles_estimate=estimate))])
    assert "an estimate, not a measurement" in text
    assert "9,999" in text
    assert "5 wait states, of which a cache hides 90%." in text
    without = replace(estimate, wait_states=0)
    text = html_of([replace(report, latency=replace(report.latency, cycles_estimate=without))])
    assert "0 wait states. Assumed" in text


@pytest.mark.parametrize("part", ["parity", "latency", "memory", "predicted", "stream", "peers"])
def test_a_report_without_a_part_is_a_page(report, part):
    Outline(html_of([replace(report, **{part: None})]))


def test_nothing_is_taken_from_elsewhere(report):
    text = html_of([report])
    outline = Outline(text)
    places = [value for name, value in outline.attributes if name in ("src", "href", "srcset")]
    assert all(place.startswith("#") or place == "data:," for place in places)
    assert "url(" not in text
    assert "@import" not in text
    assert "http" not in re.sub(r"http-equiv", "", text)


def test_hostile_names_stay_text(report):
    """No tag, attribute or script more than the same page of decent names has."""
    hostile, decent = html_of([sample.hostile(report)]), html_of([sample.hostile(report)])
    sample_name, sample.HOSTILE = sample.HOSTILE, "decent"
    try:
        decent = html_of([sample.hostile(report)])
    finally:
        sample.HOSTILE = sample_name
    outline, plain = Outline(hostile), Outline(decent)
    assert outline.tags == plain.tags
    assert [name for name, _ in outline.attributes] == [name for name, _ in plain.attributes]
    assert not {"\x1b", "\u202e", "\x00", "\ud800"} & set(hostile)
    hostile.encode("utf-8")


def test_a_page_of_many_boards_is_small(report):
    many = [replace(report, board=f"board{number}") for number in range(SETUPS)]
    text = html_of(many)
    Outline(text)
    assert len(text.encode("utf-8")) < LARGEST_BYTES
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_every_drawing_has_a_text_for_who_cannot_see_it(report):
    drawings = re.findall(r"<svg[^>]*>", html_of([sample.differing(report)]))
    assert len(drawings) == 3
    assert all('role="img"' in drawing and 'aria-label="' in drawing for drawing in drawings)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_text_stands_out_in_both_themes(report):
    """WCAG 2's AA: 4.5 for text, 3 for what is drawn."""
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", html_of([report]))
    themes = [{name: pair[at] for name, *pair in found} for at in (0, 1)]
    for colours in themes:
        for ground in ("page", "card", "bar"):
            assert contrast(colours["ink"], colours[ground]) >= 4.5, ground
        for text in ("soft", "blue", "good", "bad"):
            for ground in ("page", "card"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        assert contrast(colours["good"], colours["tint-good"]) >= 4.5
        assert contrast(colours["bad"], colours["tint-bad"]) >= 4.5
        for number in range(1, 9):
            assert contrast(colours[f"c{number}"], colours["card"]) >= 3
            assert contrast(colours[f"c{number}"], "#0b0f14") >= 4.5  # the labels in the boxes


Opener = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def opened(tmp_path) -> Opener:
    """Open a page in a fresh headless Chromium with more of its flags."""

    def run(text: str, *flags: str) -> subprocess.CompletedProcess[str]:
        page = tmp_path / "report.html"
        page.write_text(text, encoding="utf-8")
        command = [str(BROWSER), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *flags]
        return subprocess.run(
            [*command, page.as_uri()],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
            env={**os.environ, "HOME": str(tmp_path)},
        )

    return run


def console_of(completed: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in completed.stderr.splitlines() if "CONSOLE" in line]


@in_browser
def test_a_browser_opens_the_page_without_an_error(report, opened):
    completed = opened(html_of([sample.hostile(report), sample.differing(report)]), "--dump-dom")
    assert console_of(completed) == []
    assert re.search(r'<button id="theme" type="button" aria-label="Switch[^>]*>', completed.stdout)
    assert 'data-sort=""' in completed.stdout  # the page's own script ran


@in_browser
def test_the_pages_policy_forbids_any_other_script(report, opened):
    """And an error in the console would be seen."""
    text = html_of([report]).replace("</body>", "<script>document.title = 'x'</script></body>")
    completed = opened(text, "--dump-dom")
    assert any("Content Security Policy" in line for line in console_of(completed))
    assert "<title>x</title>" not in completed.stdout


@in_browser
def test_the_page_follows_the_readers_theme_and_prints(report, opened, tmp_path):
    from matplotlib.image import imread

    text, brightness = html_of([sample.differing(report)]), {}
    for theme, number in THEMES.items():
        picture = tmp_path / f"{theme}.png"
        opened(
            text,
            f"--blink-settings=preferredColorScheme={number}",
            "--window-size=1160,1600",
            f"--screenshot={picture}",
        )
        brightness[theme] = float(imread(picture)[..., :3].mean())
    assert brightness["dark"] < 0.25
    assert brightness["light"] > 0.85
    opened(text, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'page.pdf'}")
    assert Path(tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
