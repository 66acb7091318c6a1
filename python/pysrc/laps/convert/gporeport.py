"""The report of ``Get-GPOReport -ReportType Xml``: policies by the names of the editor, and values
of keys that it has no names for."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from .model import GPO, Converted, Value, machine, refuse, reg, xml

# What the editor calls each policy and its parts (LAPS.admx, LAPS.adml). A policy that is switched
# off takes its values away; one with a value of its own sets that to 0.
_BACKUP = {
    "Disabled": 0, "Azure Active Directory": 1, "Microsoft Entra ID": 1, "Active Directory": 2
}
_COMPLEXITY = {
    "Large letters": 1,
    "Large letters + small letters": 2,
    "Large letters + small letters + numbers": 3,
    "Large letters + small letters + numbers + specials": 4,
    "Large letters + small letters + numbers + special characters": 4,
    "Large letters + small letters + numbers + specials (improved readability)": 5,
    "Large letters + small letters + numbers + special characters (improved readability)": 5,
    "Passphrase (long words)": 6,
    "Passphrase (short words)": 7,
    "Passphrase (short words with unique prefixes)": 8,
}
_ACTIONS = {
    "Disabled - take no actions": 0,
    "Reset the password": 1,
    "Reset the password and logoff the managed account": 3,
    "Reset the password and reboot the device": 5,
    "Reset the password, logoff the managed account, and terminate any remaining processes": 11,
}
_TARGET = {"Manage the built-in admin account": 0, "Manage a custom admin account": 1}
#: What belongs to a policy and holds no value of it.
_TOLD = frozenset({"Name", "State", "Explain", "Supported", "Category", "Comment", "Text"})
_PARTS = frozenset({"DropDownList", "Numeric", "EditText", "CheckBox", "MultiText", "ListBox"})
_Parts = dict[str, tuple[str, dict[str, int] | None]]
#: Each policy: its own value, and its parts by the editor's label (without a colon), with the names
#: of choices.
_POLICIES: dict[str, tuple[str | None, _Parts]] = {
    "Configure password backup directory": (
        None, {"Backup directory": ("BackupDirectory", _BACKUP)}
    ),
    "Password Settings": (
        None,
        {
            "Password Complexity": ("PasswordComplexity", _COMPLEXITY),
            "Password Length": ("PasswordLength", None),
            "Password Age (Days)": ("PasswordAgeDays", None),
            "Passphrase Length (words)": ("PassphraseLength", None),
        },
    ),
    "Name of administrator account to manage": (
        None, {"Administrator account name": ("AdministratorAccountName", None)}
    ),
    "Do not allow password expiration time longer than required by policy": (
        "PasswordExpirationProtectionEnabled", {}
    ),
    "Enable password encryption": ("ADPasswordEncryptionEnabled", {}),
    "Configure authorized password decryptors": (
        None,
        {"Authorized password decryptor": ("ADPasswordEncryptionPrincipal", None)},
    ),
    "Configure size of encrypted password history": (
        None,
        {"Encrypted password history size": ("ADEncryptedPasswordHistorySize", None)},
    ),
    "Enable password backup for DSRM accounts": ("ADBackupDSRMPassword", {}),
    "Post-authentication actions": (
        None,
        {
            "Grace period (hours)": ("PostAuthenticationResetDelay", None),
            "Actions": ("PostAuthenticationActions", _ACTIONS)
        },
    ),
    "Configure automatic account management": (
        "AutomaticAccountManagementEnabled",
        {
            "Specify the target account to manage": ("AutomaticAccountManagementTarget", _TARGET),
            "Automatic account name (or name prefix)": (
                "AutomaticAccountManagementNameOrPrefix", None
            ),
            "Enable the managed account": ("AutomaticAccountManagementEnableAccount", None),
            "Randomize the name of the managed account": (
                "AutomaticAccountManagementRandomizeName", None
            ),
        },
    ),
}


def read(text: str, source: str) -> list[Converted] | None:
    """The policies in the report; None when it is of another form."""
    root = xml(text, source)
    if root is None or _local(root) not in ("GPO", "report"):
        return None
    reports = [root] if _local(root) == "GPO" else [each for each in root if _local(each) == "GPO"]
    found = []
    for gpo in reports:
        values: list[Value | str] = []
        for computer in (each for each in gpo if _local(each) == "Computer"):
            read = 0
            for each in computer.iter():
                if _local(each) == "Policy":
                    values += _policy(each, source)
                    read += _is_of_laps(_text(each, "Category"))
                elif _local(each) == "RegistrySetting":
                    values += _setting(each, source)
                    read += _is_key_of_laps(_text(each, "KeyPath"))
            stand = sum(_is_mark(each) for each in computer.iter())
            if read != stand:
                raise refuse(
                    source,
                    f"{stand} policies of LAPS stand in it, and {read} of them where a report has "
                    "policies"
                )
        of_laps = any(
            "laps" in (each if isinstance(each, str) else each.key).lower() for each in values
        )
        if of_laps or len(reports) == 1:
            found.append(
                Converted("a report of Group Policy", _text(gpo, "Name"), reg(values, source))
            )
    if not found:
        raise refuse(source, "no policy of LAPS in this report")
    return found


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(element: ElementTree.Element, name: str) -> ElementTree.Element | None:
    return next((each for each in element if _local(each) == name), None)


def _text(element: ElementTree.Element, *path: str) -> str:
    here: ElementTree.Element | None = element
    for name in path:
        here = None if here is None else _child(here, name)
    return "" if here is None else (here.text or "").strip()


def _is_of_laps(category: str) -> bool:
    return category.rpartition("/")[2] == "LAPS"


def _is_key_of_laps(key: str) -> bool:
    return key.lower().endswith(("\\laps", "\\laps\\config", "\\admpwd"))


def _is_mark(element: ElementTree.Element) -> bool:
    """Whether something stands here that only a policy of LAPS has, whatever it is called."""
    text = (element.text or "").strip()
    return (_is_of_laps(text) and "/" in text) or (_is_key_of_laps(text) and "\\" in text)


def _policy(policy: ElementTree.Element, source: str) -> list[Value | str]:
    name, state, category = (_text(policy, each) for each in ("Name", "State", "Category"))
    of_laps = _is_of_laps(category)
    if name in _POLICIES and not category:
        raise refuse(source, f"{name}: no Category")
    if name not in _POLICIES or not of_laps:
        if of_laps:
            raise refuse(
                source,
                f"the policy {name!r} is not known; a report in another language than English is "
                "not read: give the Registry.pol of a back-up (Backup-GPO)",
            )
        return []
    own, parts = _POLICIES[name]
    if state not in ("Enabled", "Disabled"):
        if state:
            raise refuse(source, f"{name}: the state {state!r} is neither Enabled nor Disabled")
        raise refuse(source, f"{name}: no State")
    values: list[Value | str] = []
    if own:
        values.append(Value(GPO, own, int(state == "Enabled")))
    if state == "Disabled":
        return values + [Value(GPO, setting, None) for setting, _ in parts.values()]
    for element in policy:
        if _local(element) in _PARTS:
            values.append(_part(name, element, parts, source))
        elif _local(element) not in _TOLD:
            raise refuse(
                source, f"{name}: the element {_local(element)!r} is none that a report has"
            )
    return values


def _part(name: str, element: ElementTree.Element, parts: _Parts, source: str) -> Value:
    label = _text(element, "Name").rstrip(": ")
    if label not in parts:
        raise refuse(source, f"{name}: the part {label!r} is not known")
    setting, choices = parts[label]
    kind = _local(element)
    if kind == "DropDownList":
        chosen = _text(element, "Value", "Name")
        if choices is None or chosen not in choices:
            raise refuse(source, f"{name}: {label}: the choice {chosen!r} is not known")
        return Value(GPO, setting, choices[chosen])
    state = _text(element, "State")
    if kind == "CheckBox":
        if state not in ("Enabled", "Disabled"):
            raise refuse(
                source, f"{name}: {label}: the state {state!r} is neither Enabled nor Disabled"
            )
        return Value(GPO, setting, int(state == "Enabled"))
    value = _child(element, "Value")
    if value is None:
        raise refuse(source, f"{name}: {label}: no Value")
    data = (value.text or "").strip()
    if kind == "Numeric":
        if not data.isascii() or not data.isdigit():
            raise refuse(source, f"{name}: {label}: {data!r} is not a number")
        return Value(GPO, setting, int(data))
    return Value(GPO, setting, data)


def _setting(setting: ElementTree.Element, source: str) -> list[Value | str]:
    """A value without a name in the editor: the template was not there, or preferences of a
    script."""
    key = machine(_text(setting, "KeyPath"))
    values: list[Value | str] = []
    for value in (each for each in setting if _local(each) == "Value"):
        name = _text(value, "Name")
        number, string = _child(value, "Number"), _child(value, "String")
        if number is not None and (number.text or "").strip().isdigit():
            values.append(Value(key, name, int((number.text or "").strip())))
        elif string is not None:
            values.append(Value(key, name, string.text or ""))
        else:
            values.append(Value(key, name, bytes))
    if not values and _is_key_of_laps(key):
        raise refuse(source, f"{key}: a setting without a value")
    return values
