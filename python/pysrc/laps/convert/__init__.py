"""From the forms in which administrators find these settings to documents that
:func:`laps.evaluate` reads.

Group Policy's own forms (``Registry.pol``, the text of LGPO, the report of ``Get-GPOReport``,
preferences), what ``reg query`` and ``Get-ItemProperty`` print, templates of CIPP and the settings
of Microsoft.OSConfig. A form is recognised by what is in the file. What is a value of the registry
becomes a ``.reg`` file with all that the source holds, LAPS or not: what that means is decided in
one place.
"""

from __future__ import annotations

from collections.abc import Callable

from .._laps import decode_text
from . import cipp, gporeport, lgpo, osconfig, powershell, preferences, regquery, registrypol
from .model import Converted, refuse

__all__ = ["Converted", "convert"]

#: Each looks at the text and gives None when it is not its own form.
_OF_TEXT: tuple[Callable[[str, str], list[Converted] | None], ...] = (
    lgpo.read,
    regquery.read,
    gporeport.read,
    preferences.read,
    powershell.read_text,
    cipp.read,
    osconfig.read,
    powershell.read_json,
)


def convert(data: bytes, source: str, /) -> list[Converted]:
    """The policies in a file: their names, and a document for each that :func:`laps.evaluate`
    reads.

    What is in one of the forms that :func:`laps.evaluate` reads itself is given back as it is.

    :raises laps.PolicyError: the file is in one of these forms, and something in it would be lost;
        the message says where.
    """
    found = registrypol.read(data, source)
    if found is None:
        text = decode_text(data)
        for reader in _OF_TEXT:
            found = reader(text, source)
            if found is not None:
                break
    if found is None:
        return [Converted(form="a policy", name="", document=data)]
    if not found:
        raise refuse(source, "no policy in it")
    return found
