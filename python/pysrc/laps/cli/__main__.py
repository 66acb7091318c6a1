"""``python -m laps.cli`` is ``laps``."""

from . import main

main()
