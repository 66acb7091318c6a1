"""The API reference, from docstrings: `make reference`.

Usage: python packaging/reference.py FOLDER. A warning is an error, and so is anything public
without a docstring. Signatures come from the stubs: pdoc is shown `_laps.pyi` as the stubs of the
package whose face it is.
"""

from __future__ import annotations

import inspect
import sys
import tempfile
import warnings
from pathlib import Path

import pdoc  # type: ignore[import-not-found, unused-ignore]

import laps
import laps.entra
import laps.exceptions
import laps.report

MODULES = ("laps", "laps.entra", "laps.exceptions", "laps.report")


def main(folder: Path) -> None:
    """Writes the pages."""
    warnings.simplefilter("error")
    missing = undocumented()
    assert not missing, f"without a docstring: {', '.join(missing)}"
    with tempfile.TemporaryDirectory() as stubs:
        place = Path(stubs) / "laps-stubs"
        place.mkdir()
        text = Path(laps.__file__).with_name("_laps.pyi").read_text(encoding="utf-8")
        # pdoc runs the stubs, in which names come before what they name.
        (place / "__init__.pyi").write_text(
            "from __future__ import annotations\n" + text, encoding="utf-8"
        )
        sys.path.insert(0, stubs)
        pdoc.render.configure(docformat="markdown", footer_text=f"laps {laps.__version__}")
        # `laps` lists its own `exceptions`.
        pdoc.pdoc(*(name for name in MODULES if name != "laps.exceptions"), output_directory=folder)
    page = (folder / "laps.html").read_text(encoding="utf-8")
    # The types of the stubs are there, and names refer to each other.
    assert "PathLike" in page and 'href="#Password"' in page
    print(f"wrote {folder}")


def undocumented() -> list[str]:
    """Everything public that says nothing about itself."""
    found = []
    for name in MODULES:
        module = sys.modules[name]
        for each in module.__all__:
            thing = getattr(module, each)
            if inspect.ismodule(thing) or each == "__version__":
                continue
            if not inspect.getdoc(thing):
                found.append(f"{name}.{each}")
            if inspect.isclass(thing):
                own = [part for part in vars(thing) if not part.startswith("_")]
                found += [
                    f"{name}.{each}.{part}" for part in own if not _is_documented(thing, part)
                ]
    return found


def _is_documented(owner: type, part: str) -> bool:
    member = inspect.getattr_static(owner, part)
    if isinstance(member, (str, int, frozenset)) or getattr(
        owner, "__dataclass_fields__", {}
    ).get(part):
        return True
    return bool(getattr(member, "__doc__", None) or inspect.getdoc(getattr(owner, part, None)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
