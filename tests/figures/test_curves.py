"""Losses over steps."""

from __future__ import annotations

from editkit.figures.curves import curves


def test_curves_are_logarithmic_where_they_can_be() -> None:
    (axes,) = curves({"loss/a": [(1, 0.5), (0, 1.0)]}).axes
    assert axes.get_yscale() == "log"
    assert list(axes.lines[0].get_xdata()) == [0, 1]
    linear, _ = curves({"loss/a": [(0, 0.0)], "loss/b": [(0, 1.0)]}).axes
    assert linear.get_yscale() == "linear"
