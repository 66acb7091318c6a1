"""What a device's state and findings mean, each in one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from ._laps import Device

__all__ = ["FINDINGS", "NEVER_SET", "advice", "brief", "findings", "gravest"]

#: What each finding asks of a person.
FINDINGS = {
    "unreadable": (
        "No active reader is named by what the account may have: give the device the vault's "
        "readers (--reader or --reader-set), and it rotates by itself."
    ),
    "stale-readers": (
        "The device still seals to a reader that was removed: change its --reader list or its "
        "signed set; it then rotates once by itself."
    ),
    "account-missing": (
        "The device does not find the account: create it, or name another one in the policy; until "
        "then nothing is rotated."
    ),
    "log-differs": (
        "The device remembers an audit log that this vault does not have: compare with `laps vault "
        "audit --expect HEAD`, find out who changed it, then run the agent once with "
        "--acknowledge-log."
    ),
    "log-restored": (
        "The device remembers entries that a restore lost: order what was shown since the copy was "
        "made (`laps vault rotate --all` if nobody knows), then run the agent once with "
        "--acknowledge-log."
    ),
    "unproven": (
        "Nobody proved within 90 days that this password can be opened: run `laps reader drill` "
        "with a reader's key."
    ),
}

_STATES = {
    "settled": "The vault has the password that the account has; nothing to do.",
    "pending": (
        "The vault has a password that the device has not confirmed: wait for its next check-in; "
        "if this stays, look at the last outcome."
    ),
    "uncertain": (
        "The account has one of several passwords: `laps reveal` prints them, the likeliest first; "
        "the device rotates by itself."
    ),
    "unreadable": FINDINGS["unreadable"],
    "failed": (
        "The last rotation failed: the password before it is still in force; mend what the last "
        "outcome says, and the device tries again by itself."
    ),
    "retired": (
        "Out of service: its passwords can be revealed, and `laps vault re-enrol` brings it back."
    ),
}
_REFUSED = (
    "The vault refused a record that none of its readers could open, and the account was not "
    "changed: give the device the vault's readers (--reader or --reader-set), and it goes on by "
    "itself."
)
#: What is said about a device whose first rotation failed.
NEVER_SET = (
    "No password was ever set: the account still has the one from before, and what `laps reveal` "
    "prints was perhaps never applied; mend what the last outcome says."
)


def findings(device: Device) -> list[str]:
    """The findings that the state does not say already."""
    return [each for each in device.findings if each != device.state]


def brief(device: Device) -> str:
    """State, order and findings in a few words."""
    return ", ".join([device.state, *(["ordered"] if device.ordered else []), *findings(device)])


def advice(device: Device, *, ever_set: bool = True) -> list[str]:
    """One sentence for each thing that there is to know, the gravest first. ``ever_set``: whether a
    password was ever committed."""
    missing = (
        device.state == "failed" and device.outcome is not None
        and device.outcome.name == "account-not-found"
    )
    if missing or "account-missing" in device.findings:
        said = [FINDINGS["account-missing"]]
    elif (
        device.state == "failed" and device.outcome is not None
        and device.outcome.reason == "unreadable"
    ):
        said = [_REFUSED]
    elif device.state == "failed" and not ever_set:
        said = [NEVER_SET]
    else:
        said = [_STATES.get(device.state, device.state)]
        if device.state == "settled" and device.findings:
            said = ["The vault has the password that the account has."]
    said += [
        text for text in (FINDINGS.get(each, each) for each in findings(device)) if text not in said
    ]
    if device.ordered:
        when = (
            "at its next check-in" if _past(device.order_at)
            else f"from {_time(device.order_at)} on"
        )
        said.append(f"A rotation is ordered: the device gets the order {when}.")
    if device.reset_at is not None:
        said.append(
            f"The account was used: the device resets the password at {_time(device.reset_at)}."
        )
    if device.waits_until is not None and not _past(device.waits_until):
        said.append(
            f"A rotation is due and waits until {_time(device.waits_until)}; `laps agent run "
            "--once --force` does not wait."
        )
    for former in device.accounts:
        text = (
            f"Account {former.account!r} is no longer managed: its last password stays, for `laps "
            "reveal --account`"
        )
        said.append(
            text + ("; the order to rotate it cannot be fulfilled." if former.ordered else ".")
        )
    return said


def _past(moment: datetime | None) -> bool:
    return moment is None or moment <= datetime.now(timezone.utc)


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")


def gravest(devices: Sequence[Device]) -> list[tuple[Device, str]]:
    """Each device with each of its findings, the state `unreadable` and the findings in the order
    above."""
    order = list(FINDINGS)
    found = [(device, name) for device in devices for name in device.findings]
    return sorted(found, key=lambda each: order.index(each[1]) if each[1] in order else len(order))
