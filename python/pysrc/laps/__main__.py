"""``python -m laps`` is ``laps``."""

from .cli import main

main()
