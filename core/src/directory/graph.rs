//! Microsoft Graph's `deviceLocalCredentialInfo`, as Entra answers (windows-laps §5.6).

use zeroize::{Zeroize as _, Zeroizing};

use super::{DirectoryError, Filetime, json::JsonText, json::JsonValue};
use crate::{
    account::Sid,
    identity::{AccountName, DeviceId},
    secret::Password,
};

const EXPECTED: DirectoryError = DirectoryError::new(
    "not Graph's deviceLocalCredentialInfo; accepted is its JSON, alone or in \"value\"",
);

/// What Entra keeps of one device.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct CredentialInfo<'a> {
    /// The Entra device id.
    pub device_id: DeviceId,
    /// The device's name, where given.
    pub device_name: DeviceId,
    /// When it last backed up.
    pub last_backup: Option<Filetime>,
    /// When the newest password expires.
    pub refresh: Option<Filetime>,
    credentials: Option<JsonValue<'a>>,
}

impl<'a> CredentialInfo<'a> {
    /// Reads one device: `GET /directory/deviceLocalCredentials/{id}`.
    ///
    /// # Errors
    /// [`DirectoryError`] for anything else.
    pub fn read(text: &'a str) -> Result<Self, DirectoryError> {
        let document = JsonValue::document(text)?;
        // The documentation shows the entity inside "value"; the service answers without.
        match member(document, "value")? {
            Some(inside) if !inside.is_list() => Self::of(inside),
            Some(_) => Err(DirectoryError::new("a list of devices where one is expected")),
            None => Self::of(document),
        }
    }

    fn of(entity: JsonValue<'a>) -> Result<Self, DirectoryError> {
        let mut info = Self {
            device_id: DeviceId::EMPTY,
            device_name: DeviceId::EMPTY,
            last_backup: None,
            refresh: None,
            credentials: None,
        };
        for member in entity.members()? {
            let (name, value) = member?;
            if name.is("id") {
                info.device_id = short(value)?;
            } else if name.is("deviceName") {
                info.device_name = short(value)?;
            } else if name.is("lastBackupDateTime") {
                info.last_backup = time(value)?;
            } else if name.is("refreshDateTime") {
                info.refresh = time(value)?;
            } else if name.is("credentials") && value.is_list() {
                info.credentials = Some(value);
            }
        }
        if info.device_id.is_empty() { Err(EXPECTED) } else { Ok(info) }
    }

    /// The stored credentials, in the order of the answer: current and earlier ones mixed.
    pub fn credentials(
        &self,
    ) -> impl Iterator<Item = Result<Credential<'a>, DirectoryError>> + use<'a> {
        let elements = self.credentials.and_then(|list| list.elements().ok());
        elements.into_iter().flatten().map(|element| Credential::of(element?))
    }

    /// The newest credential: the one whose password the device has, as far as Entra knows. One
    /// that does not parse hides no other; one without a time is older than every other.
    ///
    /// # Errors
    /// [`DirectoryError`] when there are credentials and none parses.
    pub fn newest(&self) -> Result<Option<Credential<'a>>, DirectoryError> {
        let mut first_error = None;
        let newest =
            self.credentials().fold(None, |newest: Option<Credential<'a>>, found| match found {
                Ok(found) => {
                    Some(newest.filter(|newest| newest.backup >= found.backup).unwrap_or(found))
                }
                Err(error) => {
                    first_error.get_or_insert(error);
                    newest
                }
            });
        match (newest, first_error) {
            (None, Some(error)) => Err(error),
            (newest, _) => Ok(newest),
        }
    }
}

impl core::fmt::Debug for CredentialInfo<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CredentialInfo")
            .field("device_id", &self.device_id)
            .field("device_name", &self.device_name)
            .field("last_backup", &self.last_backup)
            .field("refresh", &self.refresh)
            .finish_non_exhaustive()
    }
}

/// Reads a list of devices: `GET /directory/deviceLocalCredentials`. It has no passwords.
///
/// # Errors
/// [`DirectoryError`] when it is no such list; each device may have its own.
pub fn credential_infos<'a>(
    text: &'a str,
) -> Result<
    impl Iterator<Item = Result<CredentialInfo<'a>, DirectoryError>> + use<'a>,
    DirectoryError,
> {
    let list = member(JsonValue::document(text)?, "value")?.ok_or(EXPECTED)?;
    Ok(list.elements()?.map(|element| CredentialInfo::of(element?)))
}

/// One password that Entra keeps.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Credential<'a> {
    /// The account.
    pub account: AccountName,
    /// Its SID, where given.
    pub sid: Option<Sid>,
    /// When it was backed up, where that is known.
    pub backup: Option<Filetime>,
    password: JsonText<'a>,
}

impl Credential<'_> {
    fn of(entity: JsonValue<'_>) -> Result<Credential<'_>, DirectoryError> {
        let (mut account, mut sid, mut backup, mut password) = (None, None, None, None);
        for member in entity.members()? {
            let (name, value) = member?;
            if name.is("accountName") {
                let mut buffer = [0; 256];
                let text = value.text()?.map(|text| text.decode(&mut buffer)).transpose()?;
                account = Some(AccountName::new(text.unwrap_or_default()).map_err(|_| EXPECTED)?);
            } else if name.is("accountSid") {
                let mut buffer = [0; 192];
                let text = value.text()?.map(|text| text.decode(&mut buffer)).transpose()?;
                let parsed = text.filter(|text| !text.is_empty()).map(str::parse).transpose();
                sid = parsed.map_err(|_| DirectoryError::new("accountSid is not a SID"))?;
            } else if name.is("backupDateTime") {
                backup = time(value)?;
            } else if name.is("passwordBase64") {
                password = value.text()?;
            }
        }
        match (account, password) {
            (Some(account), Some(password)) => Ok(Credential { account, sid, backup, password }),
            _ => Err(DirectoryError::new("a credential without accountName or passwordBase64")),
        }
    }

    /// The password: `passwordBase64` holds UTF-8, and UTF-16 in the documentation's sample; both
    /// are read.
    ///
    /// # Errors
    /// [`DirectoryError`] when it is neither; `out` is then empty.
    pub fn password(&self, out: &mut Password) -> Result<(), DirectoryError> {
        const WRONG: DirectoryError =
            DirectoryError::new("passwordBase64 does not hold a password");
        out.zeroize();
        // Base64 of 128 characters of UTF-16, and a little more; then the bytes.
        let mut base64 = Zeroizing::new([0; 512]);
        let text = self.password.decode(base64.as_mut_slice())?;
        let mut bytes = Zeroizing::new([0; 384]);
        let bytes = decode_base64(text.as_bytes(), bytes.as_mut_slice()).ok_or(WRONG)?;
        let (pairs, rest) = bytes.as_chunks::<2>();
        let wide = rest.is_empty() && pairs.iter().all(|[_, high]| *high == 0);
        if !wide && let Ok(text) = core::str::from_utf8(bytes) {
            return put(text, out);
        }
        let mut buffer = Zeroizing::new([0; Password::MAX_LEN]);
        let mut len = 0;
        for letter in char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair))) {
            let letter = letter.map_err(|_| WRONG)?;
            let place = buffer.get_mut(len..).filter(|rest| rest.len() >= letter.len_utf8());
            len += letter.encode_utf8(place.ok_or(WRONG)?).len();
        }
        let text =
            core::str::from_utf8(buffer.get(..len).unwrap_or_default()).map_err(|_| WRONG)?;
        if rest.is_empty() { put(text, out) } else { Err(WRONG) }
    }
}

const WRONG: DirectoryError = DirectoryError::new("passwordBase64 does not hold a password");

fn put(text: &str, out: &mut Password) -> Result<(), DirectoryError> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err(WRONG);
    }
    out.set(text).map_err(|_| WRONG)
}

impl core::fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Credential")
            .field("account", &self.account)
            .field("sid", &self.sid)
            .field("backup", &self.backup)
            .finish_non_exhaustive()
    }
}

/// The value of a member; none where there is none. A name that stands twice is refused.
fn member<'a>(
    entity: JsonValue<'a>,
    wanted: &str,
) -> Result<Option<JsonValue<'a>>, DirectoryError> {
    let mut found = None;
    for member in entity.members()? {
        let (name, value) = member?;
        if name.is(wanted) && found.replace(value).is_some() {
            return Err(EXPECTED);
        }
    }
    Ok(found)
}

fn short(value: JsonValue<'_>) -> Result<DeviceId, DirectoryError> {
    let mut buffer = [0; 128];
    let text = value.text()?.map(|text| text.decode(&mut buffer)).transpose()?;
    DeviceId::new(text.unwrap_or_default()).map_err(|_| EXPECTED)
}

fn time(value: JsonValue<'_>) -> Result<Option<Filetime>, DirectoryError> {
    let mut buffer = [0; 64];
    let Some(text) = value.text()?.map(|text| text.decode(&mut buffer)).transpose()? else {
        return Ok(None);
    };
    // What .NET writes for no time.
    if text.starts_with("0001-") {
        return Ok(None);
    }
    Filetime::from_rfc3339(text).map(Some).ok_or(DirectoryError::new("a time that is not RFC 3339"))
}

/// RFC 4648 §4, with padding, without spaces. Digit to value is arithmetic: no table is indexed by
/// a secret.
fn decode_base64<'a>(text: &[u8], out: &'a mut [u8]) -> Option<&'a [u8]> {
    let (quads, rest) = text.as_chunks::<4>();
    let len = text.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    if !rest.is_empty() || quads.is_empty() {
        return None;
    }
    let total = quads.len().checked_mul(3)?.checked_sub(len)?;
    let out = out.get_mut(..total)?;
    let mut bad = 0_u8;
    for (at, quad) in quads.iter().enumerate() {
        let last = at + 1 == quads.len();
        let padded = if last { len } else { 0 };
        let mut bits = 0_u32;
        for (place, byte) in quad.iter().enumerate() {
            let (value, wrong) = if place + padded >= 4 { (0, 0) } else { digit(*byte) };
            bits = (bits << 6) | u32::from(value);
            bad |= wrong;
        }
        let [_, a, b, c] = bits.to_be_bytes();
        // Bits behind the last byte must be zero: one password has one Base64.
        bad |= match padded {
            1 => c,
            2 => b | c,
            _ => 0,
        };
        for (place, byte) in out.iter_mut().skip(at * 3).zip([a, b, c]) {
            *place = byte;
        }
    }
    (bad == 0).then_some(out)
}

/// The value of a Base64 digit, and non-zero when it is none; without branches or tables.
fn digit(byte: u8) -> (u8, u8) {
    // 0xff where low <= byte <= high, else 0.
    let within = |low: u8, high: u8| {
        let below = (i16::from(byte) - i16::from(low)) >> 15;
        let above = (i16::from(high) - i16::from(byte)) >> 15;
        !(below | above).to_le_bytes()[0]
    };
    let upper = within(b'A', b'Z');
    let lower = within(b'a', b'z');
    let number = within(b'0', b'9');
    let plus = within(b'+', b'+');
    let slash = within(b'/', b'/');
    let value = (upper & byte.wrapping_sub(b'A'))
        | (lower & byte.wrapping_sub(b'a').wrapping_add(26))
        | (number & byte.wrapping_sub(b'0').wrapping_add(52))
        | (plus & 62)
        | (slash & 63);
    (value, !(upper | lower | number | plus | slash))
}
