from __future__ import annotations

from figure_rows import defence_rows, detector_rows, legend

from uap_core.plots.defences import defences_figure, detector_figure


def test_every_defence_shows_both_patterns() -> None:
    figure, rows = defences_figure(defence_rows(), "a title"), defence_rows()
    groups = {bars.get_label(): [bar.get_height() for bar in bars] for bars in figure.axes[0].containers}
    assert list(groups) == legend(figure)
    assert groups["fooled by the fixed pattern"] == [row.fixed.value for row in rows]
    assert groups["fooled by one crafted anew through it"] == [row.crafted_anew.value for row in rows]
    assert groups["clean: right answers"] == [row.clean.value for row in rows]
    middles = [bar.get_x() + bar.get_width() / 2 for bars in figure.axes[0].containers for bar in bars]
    assert len({round(middle, 3) for middle in middles}) == 4 * len(rows), "side by side, not on top of each other"
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()][1] == "JPEG 50"


def test_a_detectors_curve_names_its_area() -> None:
    figure, rows = detector_figure(detector_rows(), "a title"), detector_rows()
    assert legend(figure)[0] == "universal pattern:\nAUC 0.75 (0.40-0.90), fools 75%"
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert list(lines[legend(figure)[0]].get_xdata()) == [row.false_alarms.value for row in rows[:5]]
    assert list(lines[legend(figure)[0]].get_ydata()) == [row.detected.value for row in rows[:5]]
