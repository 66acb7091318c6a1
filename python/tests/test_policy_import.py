"""Policies as they lie in other tools: each form becomes a policy file, and no part of one is
dropped in silence."""

from __future__ import annotations

import json
import re
import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import laps as library
import pytest
from laps._laps import decode_text
from laps.convert import convert
from laps.exceptions import LapsError

from .conftest import Laps

REAL = Path(__file__).parents[2] / "core/tests/vectors/policy/real"
KEY = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\LAPS"


def configured(data: bytes) -> dict[str, object] | None:
    """What a file configures; None when it is refused, or an error is found in it."""
    try:
        (found,) = convert(data, "file")
        evaluation = library.evaluate([("file", found.document)])
    except LapsError as error:
        assert 64 <= error.code < 96 and "file" in str(error)
        return None
    if evaluation.policy is None:
        return None
    return {
        name: each.value for name, each in evaluation.settings.items() if each.source != "default"
    }


def pol(*entries: tuple[str, str, int, bytes]) -> bytes:
    """A Registry.pol with these values."""
    data = b"PReg\x01\x00\x00\x00"
    for key, name, kind, content in entries:
        wide = [f"{each}\0".encode("utf-16-le") for each in (key, name)]
        size = struct.pack("<I", len(content))
        fields = [wide[0], wide[1], struct.pack("<I", kind), size, content]
        data += (
            "[".encode("utf-16-le") + ";".encode("utf-16-le").join(fields) + "]".encode("utf-16-le")
        )
    return data


def dword(number: int) -> bytes:
    return struct.pack("<I", number)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        (
            "Registry.pol",
            {
                "BackupDirectory": 2,
                "PasswordAgeDays": 30,
                "PasswordLength": 20,
                "ADPasswordEncryptionPrincipal": "EXAMPLE\\LAPS Readers",
            },
        ),
        ("lgpo.txt", {"BackupDirectory": 2, "PasswordLength": 20}),
        ("gpp-registry.xml", {"BackupDirectory": 2}),
        ("reg-query.txt", {"BackupDirectory": 1, "PasswordAgeDays": 14}),
        (
            "powershell-get-itemproperty.txt",
            {"BackupDirectory": 2, "PasswordComplexity": 4, "PasswordLength": 20}
        ),
        (
            "powershell-get-itemproperty.json",
            {
                "BackupDirectory": 2,
                "PasswordComplexity": 4,
                "PasswordLength": 20,
                "PasswordAgeDays": 30,
                "ADPasswordEncryptionEnabled": True,
                "ADPasswordEncryptionPrincipal": "EXAMPLE\\LAPS Readers",
                "ADEncryptedPasswordHistorySize": 3,
                "ADBackupDSRMPassword": False,
                "PasswordExpirationProtectionEnabled": True,
                "PostAuthenticationActions": 3,
                "PostAuthenticationResetDelay": 8,
            },
        ),
        (
            "cipp-template.json",
            {
                "BackupDirectory": 1,
                "PasswordAgeDays": 14,
                "PasswordComplexity": 4,
                "PasswordLength": 20,
                "PostAuthenticationActions": 3,
                "PostAuthenticationResetDelay": 6,
            },
        ),
        # What is read as it is, is imported as it is.
        ("intune-custom-oma-uri.json", None),
    ],
)
def test_each_form_becomes_a_policy_file(
    laps: Laps, tmp_path: Path, name: str, settings: dict[str, object] | None
) -> None:
    ran = laps("policy", "import", REAL / name, "--output", "policy.json", status=0)
    assert ran.out == "" and "a password is managed" in ran.err
    written = json.loads((tmp_path / "policy.json").read_text())
    assert settings is None or written == settings
    assert laps("policy", "import", REAL / name, status=0).json == written
    shown = laps("policy", "show", "policy.json", "--json", status=0).json["settings"]
    assert {
        key: each["value"] for key, each in shown.items() if each["source"] != "default"
    } == written


def test_what_is_not_imported_says_why_and_writes_nothing(laps: Laps, tmp_path: Path) -> None:
    for name, said in [
        ("m365dsc.ps1", "DSC"), ("wap-provisioning.xml", "WAP"), ("empty-utf16.reg", "empty")
    ]:
        ran = laps("policy", "import", REAL / name, "--output", "out", status=3)
        assert said in ran.err and not (tmp_path / "out").exists()
    (tmp_path / "user.pol").write_bytes(pol(("Software\\Policies\\Other", "x", 4, dword(1))))
    assert "without a key of LAPS" in laps("policy", "import", "user.pol", status=3).err


def test_registry_pol_deletes_and_other_types() -> None:
    both = (KEY, "BackupDirectory", 4, dword(2)), (KEY, "PasswordLength", 4, dword(20))
    assert configured(pol(*both)) == {"BackupDirectory": 2, "PasswordLength": 20}
    assert configured(pol(*both, (KEY, "**del.PasswordLength", 1, " \0".encode("utf-16-le")))) == {
        "BackupDirectory": 2
    }
    assert configured(pol((KEY, "**delvals.", 1, b" \0\0\0"), *both)) == {
        "BackupDirectory": 2, "PasswordLength": 20
    }
    assert configured(
        pol(*both, (KEY, "**DeleteValues", 1, "BackupDirectory\0".encode("utf-16-le")))
    ) == {"PasswordLength": 20}
    name = (KEY, "AdministratorAccountName", 1, 'Ops "x"\\y\0'.encode("utf-16-le"))
    assert configured(pol(both[0], name)) == {
        "BackupDirectory": 2, "AdministratorAccountName": 'Ops "x"\\y'
    }
    # Types that no setting has are errors about the setting, not lost.
    for kind, content in ((11, b"\0" * 8), (3, b"\1"), (2, "x\0".encode("utf-16-le")), (4, b"\1")):
        assert configured(pol(both[0], (KEY, "PasswordLength", kind, content))) is None
    assert configured(pol(both[0], (KEY, "**soft.PasswordLength", 4, dword(20)))) is None


def test_a_damaged_registry_pol_is_refused_at_every_byte() -> None:
    whole = pol((KEY, "BackupDirectory", 4, dword(2)), (KEY, "PasswordLength", 4, dword(20)))
    ends = {8, 8 + (len(whole) - 8 - whole[8:].index("[".encode("utf-16-le"), 2)), len(whole)}
    for end in range(len(whole)):
        if configured(whole[:end]) is not None:
            # Only where one entry ends.
            assert whole[end - 2 : end] == "]".encode("utf-16-le"), end
    assert ends


REPORT = """<?xml version="1.0" encoding="utf-16"?>
<GPO xmlns="http://www.microsoft.com/GroupPolicy/Settings"><Name>LAPS servers</Name><Computer><Enabled>true</Enabled>
<ExtensionData><Extension xmlns:q1="http://www.microsoft.com/GroupPolicy/Settings/Registry" type="q1:RegistrySettings">
<q1:Policy><q1:Name>Configure password backup directory</q1:Name><q1:State>Enabled</q1:State><q1:Category>System/LAPS</q1:Category>
<q1:DropDownList><q1:Name>Backup directory</q1:Name><q1:State>Enabled</q1:State><q1:Value><q1:Name>Active Directory</q1:Name></q1:Value></q1:DropDownList></q1:Policy>
<q1:Policy><q1:Name>Password Settings</q1:Name><q1:State>Enabled</q1:State><q1:Category>System/LAPS</q1:Category>
<q1:DropDownList><q1:Name>Password Complexity</q1:Name><q1:State>Enabled</q1:State><q1:Value><q1:Name>Passphrase (long words)</q1:Name></q1:Value></q1:DropDownList>
<q1:Numeric><q1:Name>Password Length</q1:Name><q1:State>Enabled</q1:State><q1:Value>20</q1:Value></q1:Numeric>
<q1:Numeric><q1:Name>Password Age (Days)</q1:Name><q1:State>Enabled</q1:State><q1:Value>30</q1:Value></q1:Numeric>
<q1:Numeric><q1:Name>Passphrase Length (words)</q1:Name><q1:State>Enabled</q1:State><q1:Value>5</q1:Value></q1:Numeric></q1:Policy>
<q1:Policy><q1:Name>Enable password encryption</q1:Name><q1:State>Disabled</q1:State><q1:Category>System/LAPS</q1:Category></q1:Policy>
<q1:Policy><q1:Name>Name of administrator account to manage</q1:Name><q1:State>Disabled</q1:State><q1:Category>System/LAPS</q1:Category></q1:Policy>
<q1:Policy><q1:Name>Post-authentication actions</q1:Name><q1:State>Enabled</q1:State><q1:Category>System/LAPS</q1:Category>
<q1:Numeric><q1:Name>Grace period (hours):</q1:Name><q1:State>Enabled</q1:State><q1:Value>8</q1:Value></q1:Numeric>
<q1:DropDownList><q1:Name>Actions:</q1:Name><q1:State>Enabled</q1:State><q1:Value><q1:Name>Reset the password and reboot the device</q1:Name></q1:Value></q1:DropDownList></q1:Policy>
<q1:Policy><q1:Name>Configure automatic account management</q1:Name><q1:State>Enabled</q1:State><q1:Category>System/LAPS</q1:Category>
<q1:DropDownList><q1:Name>Specify the target account to manage:</q1:Name><q1:State>Enabled</q1:State><q1:Value><q1:Name>Manage a custom admin account</q1:Name></q1:Value></q1:DropDownList>
<q1:EditText><q1:Name>Automatic account name (or name prefix):</q1:Name><q1:State>Enabled</q1:State><q1:Value>ops</q1:Value></q1:EditText>
<q1:CheckBox><q1:Name>Enable the managed account</q1:Name><q1:State>Enabled</q1:State></q1:CheckBox>
<q1:CheckBox><q1:Name>Randomize the name of the managed account</q1:Name><q1:State>Disabled</q1:State></q1:CheckBox></q1:Policy>
<q1:Policy><q1:Name>Something else</q1:Name><q1:State>Enabled</q1:State><q1:Category>System/Logon</q1:Category></q1:Policy>
</Extension></ExtensionData></Computer></GPO>
"""
OF_REPORT: dict[str, object] = {
    "BackupDirectory": 2,
    "PasswordAgeDays": 30,
    "PasswordLength": 20,
    "PasswordComplexity": 6,
    "PassphraseLength": 5,
    "PostAuthenticationResetDelay": 8,
    "PostAuthenticationActions": 5,
    "ADPasswordEncryptionEnabled": False,
    "AutomaticAccountManagementEnabled": True,
    "AutomaticAccountManagementTarget": 1,
    "AutomaticAccountManagementNameOrPrefix": "ops",
    "AutomaticAccountManagementEnableAccount": True,
    "AutomaticAccountManagementRandomizeName": False,
}


def test_a_report_of_group_policy(laps: Laps, tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_bytes(b"\xff\xfe" + REPORT.encode("utf-16-le"))
    assert laps("policy", "import", "report.xml", status=0).json == OF_REPORT
    # All policies of a domain: those with LAPS are listed, one is chosen.
    inside = REPORT[REPORT.index("<GPO") :]
    several = (
        f"<report>{inside}{inside.replace('LAPS servers', 'LAPS clients')}<GPO "
        "xmlns='x'><Name>Other</Name></GPO></report>"
    )
    (tmp_path / "all.xml").write_text(several)
    ran = laps("policy", "import", "all.xml", status=3)
    assert "2 policies" in ran.err and "'LAPS servers', 'LAPS clients'" in ran.err
    assert laps(
        "policy", "import", "all.xml", "--policy", "laps CLIENTS", status=0
    ).json == OF_REPORT
    assert "no policy in it" in laps(
        "policy", "import", "all.xml", "--policy", "third", status=4
    ).err
    # Another language is refused, and says what to give instead.
    german = REPORT.replace("Password Settings", "Kennworteinstellungen")
    (tmp_path / "german.xml").write_text(german)
    assert "Registry.pol" in laps("policy", "import", "german.xml", status=3).err
    # A value without a template.
    extra = (
        "<GPO xmlns='g' xmlns:q='r'><Name>x</Name><Computer><ExtensionData><Extension>"
        f"<q:RegistrySetting><q:KeyPath>{KEY}</q:KeyPath><q:Value><q:Name>BackupDirectory</q:Name>"
        "<q:Number>1</q:Number></q:Value>"
        "</q:RegistrySetting></Extension></ExtensionData></Computer></GPO>"
    )
    assert configured(extra.encode()) == {"BackupDirectory": 1}


def test_preferences_collections_and_actions() -> None:
    def properties(name: str, value: str, action: str = "U", kind: str = "REG_DWORD") -> str:
        return (
            f'<Properties action="{action}" hive="HKEY_LOCAL_MACHINE" key="{KEY}" name="{name}" '
            f'type="{kind}" value="{value}"/>'
        )

    def registry(inside: str, more: str = "") -> str:
        return f'<Registry name="x"{more}>{inside}</Registry>'

    backup = registry(properties("BackupDirectory", "00000002"))
    length = properties("PasswordLength", "00000014")
    both = {"BackupDirectory": 2, "PasswordLength": 20}
    below = f"<Collection>{registry(length)}</Collection>"
    assert configured(f"<RegistrySettings>{backup}{below}</RegistrySettings>".encode()) == both
    off = registry(length, ' disabled="1"')
    (found,) = convert(f"<RegistrySettings>{backup}{off}</RegistrySettings>".encode(), "x")
    assert "switched off" in found.notes[0]
    assert configured(f"<RegistrySettings>{backup}{off}</RegistrySettings>".encode()) == {
        "BackupDirectory": 2
    }
    targeted = registry(length + '<Filters><FilterGroup name="IT"/></Filters>')
    (found,) = convert(f"<RegistrySettings>{backup}{targeted}</RegistrySettings>".encode(), "x")
    assert "only for some devices" in found.notes[0]
    gone = registry(properties("PasswordLength", "", "D"))
    assert configured(
        f"<RegistrySettings>{backup}{registry(length)}{gone}</RegistrySettings>".encode()
    ) == {"BackupDirectory": 2}
    assert configured(f"<RegistrySettings>{backup}<Odd/></RegistrySettings>".encode()) is None


def test_names_of_osconfig() -> None:
    names = {
        "AdminAccountName": "Ops", "AuthorizedDecryptors": "C\\r", "BackupDirectory": 2,
        "AutoAccountEnable": 1
    }
    document = [{"Name": name, "Value": value, "Compliance": None} for name, value in names.items()]
    assert configured(json.dumps(document).encode()) == {
        "AdministratorAccountName": "Ops",
        "ADPasswordEncryptionPrincipal": "C\\r",
        "BackupDirectory": 2,
        "AutomaticAccountManagementEnableAccount": True,
    }
    assert configured(json.dumps([*document, {"Name": "Other", "Value": 1}]).encode()) is None


def _lines(text: str) -> Iterator[tuple[str, str]]:
    lines = text.splitlines()
    for at, line in enumerate(lines):
        for other in (
            [], [line, line], [f"x{line}"], [line.replace("DWORD", "DWARD")],
            [line[: len(line) // 2]], ["text"]
        ):
            yield line, "\n".join([*lines[:at], *other, *lines[at + 1 :]])


def _names(text: str) -> set[str]:
    """The settings whose names stand in a text, each as a word."""
    known = [each["name"] for each in json.loads(library.policy_schema())["settings"]]
    return {name for name in known if re.search(rf"(?<![\w]){name}(?![\w])", text)}


@pytest.mark.parametrize("name", ["lgpo.txt", "reg-query.txt", "powershell-get-itemproperty.txt"])
def test_no_line_of_a_text_is_dropped_in_silence(name: str) -> None:
    text = decode_text((REAL / name).read_bytes())
    count = 0
    for line, changed in _lines(text):
        (found,) = [each for each in [configured(changed.encode())]]
        if found is None:
            continue
        count += 1
        told = set(found)
        lost = _names(changed) - told
        # What is under a key of something else is told as passed over, or as a key where Windows
        # does not look.
        if lost:
            evaluation = library.evaluate([("x", convert(changed.encode(), "x")[0].document)])
            assert evaluation.findings, (line, changed)
    assert count


@pytest.mark.parametrize("name", ["gpp-registry.xml", "report"])
def test_no_element_is_dropped_in_silence(name: str) -> None:
    text = REPORT[REPORT.index("<GPO") :] if name == "report" else (REAL / name).read_text()
    whole = configured(text.encode())
    assert whole is not None
    size = len(
        list(
            ElementTree.fromstring(
                text[text.index("<", 1) if text.startswith("<?") else 0 :]
            ).iter()
        )
    )
    for at in range(1, size):
        for how in ("delete", "rename", "empty"):
            root = ElementTree.fromstring(
                text[text.index("<", 1) if text.startswith("<?") else 0 :]
            )
            parents = {child: parent for parent in root.iter() for child in parent}
            element = list(root.iter())[at]
            local = element.tag.rpartition("}")[2]
            if how == "delete":
                parents[element].remove(element)
            elif how == "rename":
                element.tag = element.tag.replace(local, "Odd")
            else:
                element.clear()
            changed = ElementTree.tostring(root)
            found = configured(changed)
            # What is deleted is gone. What is misnamed or emptied is refused, or changes nothing;
            # an emptied whole is nothing at all.
            if found is not None and how == "rename":
                assert found == whole, (local, found)
            if found is not None and how == "empty" and local not in (
                "Policy", "Registry", "Extension", "ExtensionData", "Computer"
            ):
                assert found == whole or (
                    local == "Value" and _names(changed.decode()) <= set(found)
                ), (local, found)


def test_json_forms_are_not_dropped_in_silence() -> None:
    for name in ("powershell-get-itemproperty.json", "cipp-template.json"):
        document = json.loads((REAL / name).read_text())
        whole = configured(json.dumps(document).encode())
        assert whole is not None
        for key in document:
            for other in (None, 7, "text", [], {}, [document[key]], {"x": document[key]}):
                changed = {**document, key: other}
                found = configured(json.dumps(changed).encode())
                if found is None:
                    continue
                expected = set(
                    _names(json.dumps(changed))
                ) if name.startswith("powershell") else set(whole)
                assert set(found) == expected, (key, other)
        # Twice in one object.
        text = json.dumps(document)
        first = next(iter(document))
        doubled = text.replace(f'"{first}":', f'"{first}": 1, "{first}":', 1)
        assert configured(doubled.encode()) is None


def test_the_examples_of_help_and_the_forms_agree(laps: Laps) -> None:
    out = laps("policy", "import", "--help", status=0).out
    for word in (
        "Registry.pol", "LGPO", "Get-GPOReport", "preferences", "reg query", "Get-ItemProperty",
        "CIPP", "OSConfig"
    ):
        assert word in out, word
