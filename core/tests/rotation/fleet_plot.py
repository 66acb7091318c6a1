"""Draws the load of a fleet (what `LAPS_FLEET_CSV` of fleet.rs names) as SVG: fleet_plot.py
LOAD.csv PLOT.svg"""

import sys
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure


def main(source: str, target: str) -> None:
    title, *lines = Path(source).read_text(encoding="utf-8").splitlines()
    devices, even = title.removeprefix("# ").split(" devices, ")
    average = float(even.split()[0])
    loads = [int(line.split(",")[1]) for line in lines]
    after = loads[2:]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots()
    days = [hour / 24 for hour in range(2, len(loads))]
    busy = [load > 0 for load in after]
    axes.fill_between(
        days, after, where=busy, step="post", linewidth=0, color="#3b6ea5",
        label="rotations in an hour"
    )
    axes.axhline(
        1.5 * average, color="#b03a2e", linestyle="--", label=f"limit: {1.5 * average:.0f}"
    )
    axes.axhline(
        average, color="#555555", linestyle=":",
        label=f"spread evenly over the window: {average:.0f}"
    )
    axes.set_xlabel("days since the first enrolment")
    axes.set_ylabel("rotations in an hour")
    axes.set_title(
        f"{int(devices):,} devices enrolled within one hour; at most {max(after):,} rotations in "
        "an hour"
    )
    axes.set_xlim(0, len(loads) / 24)
    axes.set_ylim(0, 1.7 * average)
    axes.legend(loc="upper left", ncols=3, frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    # The same load is the same file.
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "laps", "font.family": "sans-serif"}
    ):
        figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
