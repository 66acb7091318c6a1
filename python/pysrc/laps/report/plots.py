"""Plots as SVG that takes its colours from the page."""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["bars", "histogram"]

_BAR, _LIMIT, _INK = "#010101", "#020202", "#030303"


def histogram(days: Sequence[float], limit: int | None) -> str:
    """How old the passwords are, with the policy's age as a line."""
    figure, axes = _figure()
    # Whole days, so that every bar is as wide as the others.
    top = math.ceil(max([*days, limit or 0, 1.0]))
    axes.hist(days, bins=min(60, max(10, top)), range=(0, top), color=_BAR)
    if limit is not None:
        axes.axvline(limit, color=_LIMIT, linewidth=2)
    # Devices and days come whole.
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("age of the password in days")
    axes.set_ylabel("devices")
    return _svg(figure).replace("<svg ", '<svg class="ages" ', 1)


def bars(counts: Counter[str], most: int = 12) -> str:
    """Names and how often each occurs, the most frequent on top."""
    chosen = list(reversed(counts.most_common(most)))
    figure, axes = _figure(height=0.6 + 0.32 * max(len(chosen), 1))
    drawn = axes.barh(
        [_short(name) for name, _ in chosen], [count for _, count in chosen], color=_BAR
    )
    axes.bar_label(drawn, padding=4, color=_INK)
    axes.margins(x=0.12)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    return _svg(figure)


def _figure(height: float = 2.4):  # type: ignore[no-untyped-def]
    # The object interface: no global state, no window system.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_INK)
    axes.tick_params(colors=_INK)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    return figure, axes


def _svg(figure) -> str:  # type: ignore[no-untyped-def]
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "laps", "font.family": "sans-serif"}
    ):
        figure.savefig(
            out, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    text = out.getvalue()
    text = text[text.index("<svg") :]
    # What matplotlib writes about itself points outside; the page points nowhere.
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    for colour, name in ((_BAR, "--bar"), (_LIMIT, "--limit"), (_INK, "--ink")):
        text = text.replace(colour, f"var({name})")
    return re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', r'<svg \1 role="img">', text, count=1)


def _short(name: str) -> str:
    # A dollar sign would begin a formula.
    name = name.replace("$", "\\$")
    return name if len(name) <= 40 else name[:39] + "…"
