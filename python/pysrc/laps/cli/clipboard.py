"""The clipboard of this session, which has a password for half a minute."""

from __future__ import annotations

import hmac
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from types import FrameType

from . import output
from .status import Failure, Status

__all__ = ["Clipboard"]

SECONDS = 30


@dataclass(frozen=True)
class Clipboard:
    """The programs that put text into it and take it out."""

    copy: tuple[str, ...]
    paste: tuple[str, ...]

    @classmethod
    def of_this_session(cls) -> Clipboard:
        """What this session has. It is looked for before anything is disclosed."""
        environment = os.environ
        known = [
            (sys.platform == "darwin", cls(("pbcopy",), ("pbpaste",))),
            (
                bool(environment.get("WAYLAND_DISPLAY")),
                cls(("wl-copy",), ("wl-paste", "--no-newline")),
            ),
            (
                bool(environment.get("DISPLAY")),
                cls(
                    ("xclip", "-selection", "clipboard"), ("xclip", "-selection", "clipboard", "-o")
                ),
            ),
            (
                bool(environment.get("DISPLAY")),
                cls(("xsel", "--clipboard", "--input"), ("xsel", "--clipboard", "--output")),
            ),
            (
                sys.platform == "win32" or "WSL_DISTRO_NAME" in environment,
                cls(("clip.exe",), ("powershell.exe", "-NoProfile", "-Command", "Get-Clipboard")),
            ),
        ]
        for there, found in known:
            if there and shutil.which(found.copy[0]) and shutil.which(found.paste[0]):
                return found
        raise Failure(
            "this session has no clipboard that could be used: wl-copy and wl-paste (Wayland), "
            "xclip or xsel (X11), pbcopy (macOS) and clip.exe (Windows) are; nothing was disclosed",
            Status.NOT_ALLOWED,
        )

    def lend(self, text: str) -> None:
        """Puts the text into it, and takes it out after half a minute, or when this program is
        ended, unless somebody has put something else there by then."""
        before = {number: signal.signal(number, _end) for number in _ENDS}
        try:
            self._put(text)
            output.note(f"it is in the clipboard for {SECONDS} s; Ctrl-C takes it out now")
            time.sleep(SECONDS)
        except (KeyboardInterrupt, _Ended):
            pass
        finally:
            if self._has(text):
                self._put("")
                output.note("the clipboard is empty again")
            else:
                output.note("the clipboard has something else by now, which was left there")
            for number, handler in before.items():
                signal.signal(number, handler)

    def _put(self, text: str) -> None:
        # Without a pipe on its other descriptors, which what stays in the background to serve the
        # clipboard would hold open; and out of reach of this terminal's Ctrl-C.
        quiet = subprocess.DEVNULL
        done = subprocess.run(
            self.copy, input=text.encode(), stdout=quiet, stderr=quiet, check=False,
            start_new_session=True
        )
        if done.returncode != 0:
            raise Failure(f"{self.copy[0]} ended with status {done.returncode}", Status.OTHER)

    def _has(self, text: str) -> bool:
        done = subprocess.run(
            self.paste, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        # What pastes may add a line end.
        return hmac.compare_digest(done.stdout.rstrip(b"\r\n"), text.encode())


class _Ended(Exception):
    """A signal asks this program to end."""


def _end(number: int, frame: FrameType | None) -> None:
    raise _Ended


_ENDS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
]
