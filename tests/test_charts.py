"""The charts of lesson 06: what they mark, and that their text says the same."""

from __future__ import annotations

import io
from typing import Any

import pytest
from matplotlib import image

from labkit import UsageError
from labkit.charts import break_even, speedup

CURVE = {1: 0.8, 2: 1.5, 3: 2.0, 4: 2.0, 5: 1.2}
MAP = {
    5_000: {2: 1.6, 4: 2.4},
    100: {2: 0.5, 4: 0.4},
    1_000: {2: 1.2, 4: 1.0},
}


def test_the_peak_is_the_fewest_workers_of_the_fastest() -> None:
    assert speedup(CURVE).peak == (3, 2.0)


def test_a_curve_says_in_text_what_it_shows() -> None:
    lines = repr(speedup(CURVE, at=5, title="Faster")).splitlines()
    assert lines[0] == "Faster"
    assert lines[1].split() == ["1", "0.80×", "█" * 16, "slower", "than", "one", "agent"]
    assert lines[3].split() == ["3", "2.00×", "█" * 40, "peak"]
    assert lines[4].endswith("█" * 40)
    assert lines[5].endswith("you are here")


def test_a_map_pays_from_the_size_above_which_all_do() -> None:
    found = break_even(MAP)
    assert found.sizes == (100, 1_000, 5_000)
    assert found.pays_from(2) == 1_000
    # Exactly as fast is not faster.
    assert found.pays_from(4) == 5_000
    assert break_even({100: {2: 0.5}}).pays_from(2) is None


def test_a_map_says_in_text_what_it_shows() -> None:
    lines = repr(break_even(MAP, title="When it pays")).splitlines()
    assert lines[0] == "When it pays"
    assert lines[1].split()[-2:] == ["2", "4"]
    assert lines[2].split() == ["100", "✗", "0.50", "✗", "0.40"]
    assert lines[3].split() == ["1,000", "1.20", "✗", "1.00"]
    assert lines[4].split() == ["5,000", "1.60", "2.40"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "make",
    [
        lambda theme: speedup(CURVE, at=2, title="Faster", theme=theme),
        lambda theme: speedup({3: 0.2}, at=9, theme=theme),
        lambda theme: break_even(MAP, rule=1_000, title="When", theme=theme),
        lambda theme: break_even({7: {2: 0.5}}, rule=5_000, theme=theme),
    ],
)
def test_a_chart_is_a_picture_with_its_text_for_who_cannot_see_it(make: Any, theme: str) -> None:
    chart = make(theme)
    data, metadata = chart._repr_mimebundle_()
    assert data["text/plain"] == repr(chart)
    assert metadata["image/png"]["alt"] == repr(chart).replace("\n", "; ")
    pixels = image.imread(io.BytesIO(chart.png()), format="png")
    assert pixels.shape[0] > 100
    assert pixels.std() > 0.01
    assert chart.png() is chart.png()


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: speedup({}), "number of workers"),
        (lambda: speedup({1: 0.0}), "above 0"),
        (lambda: speedup({1: float("inf")}), "above 0"),
        (lambda: speedup(CURVE, theme="red"), "'light' or 'dark'"),  # type: ignore[arg-type]
        (lambda: break_even({}), "the same numbers"),
        (lambda: break_even({5: {}}), "the same numbers"),
        (lambda: break_even({5: {2: 1.0}, 6: {3: 1.0}}), "the same numbers"),
        (lambda: break_even({5: {2: -1.0}}), "above 0"),
        (lambda: break_even(MAP, theme="red"), "'light' or 'dark'"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_drawn_is_told(draw: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        draw()
