"""The text that ``LGPO.exe /parse`` writes: four lines for each value."""

from __future__ import annotations

from .model import Converted, Value, machine, refuse, reg


def read(text: str, source: str) -> list[Converted] | None:
    """The policy in the text; None when it is of another form."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith(";")]
    if not lines or not _is_scope(lines[0][1]):
        return None
    values: list[Value | str] = []
    for at in range(0, len(lines), 4):
        block = lines[at : at + 4]
        number, scope = block[0]
        if not _is_scope(scope):
            raise refuse(
                source, f"{scope!r} stands where Computer or User begins four lines", number
            )
        if len(block) < 4:
            raise refuse(
                source,
                "four lines belong together: Computer or User, the key, the name, and what it "
                "becomes",
                number
            )
        key = block[1][1]
        hive = machine(key) if scope.lower() == "computer" else f"HKEY_CURRENT_USER\\{key}"
        values += _values(hive, block[2][1], block[3][1], source, block[3][0])
    return [Converted("text of LGPO", "", reg(values, source))]


def _is_scope(line: str) -> bool:
    return line.lower() in ("computer", "user") or line.lower().startswith("user:")


def _values(key: str, name: str, action: str, source: str, line: int) -> list[Value | str]:
    kind, colon, data = action.partition(":")
    match kind.upper():
        case "DWORD" if colon:
            try:
                return [Value(key, name, int(data, 16 if data.lower().startswith("0x") else 10))]
            except ValueError:
                raise refuse(source, f"{data!r} is not a number", line) from None
        case "SZ" if colon:
            return [Value(key, name, data)]
        case "EXSZ" | "MULTISZ" | "QWORD" | "BINARY":
            return [Value(key, name, bytes)]
        case "DELETE":
            return [Value(key, name, None)]
        case "DELETEALLVALUES" | "CLEAR":
            return [key]
        case "DELETEKEYS":
            return [f"{key}\\{each}" for each in data.split(";") if each]
        case "CREATEKEY":
            return []
        case _:
            raise refuse(source, f"{action!r} is nothing that LGPO writes", line)
