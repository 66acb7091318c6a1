//! `SyncML` for the LAPS CSP, as an MDM sends it (windows-laps §1.3).

use alloc::string::{String, ToString as _};
use core::fmt::Write as _;

use crate::policy::{Settings, Value, setting::whole_hours};

/// What an item does with a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SyncmlCommand {
    /// Fails where the node exists.
    Add,
    /// Takes the node away.
    Delete,
    /// Sets the node, whether it exists or not.
    Replace,
}

impl SyncmlCommand {
    /// The element's name.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Delete => "Delete",
            Self::Replace => "Replace",
        }
    }
}

/// Asks a device for a rotation now, and how it went.
pub const RESET_PASSWORD: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<SyncML xmlns="SYNCML:SYNCML1.2">
  <SyncBody>
    <Exec>
      <CmdID>1</CmdID>
      <Item>
        <Target><LocURI>./Device/Vendor/MSFT/LAPS/Actions/ResetPassword</LocURI></Target>
      </Item>
    </Exec>
    <Get>
      <CmdID>2</CmdID>
      <Item>
        <Target><LocURI>./Device/Vendor/MSFT/LAPS/Actions/ResetPasswordStatus</LocURI></Target>
      </Item>
    </Get>
    <Final/>
  </SyncBody>
</SyncML>
"#;

/// Asks a device how the last rotation that was asked for went; `read` reads the answer.
pub const RESET_PASSWORD_STATUS: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<SyncML xmlns="SYNCML:SYNCML1.2">
  <SyncBody>
    <Get>
      <CmdID>1</CmdID>
      <Item>
        <Target><LocURI>./Device/Vendor/MSFT/LAPS/Actions/ResetPasswordStatus</LocURI></Target>
      </Item>
    </Get>
    <Final/>
  </SyncBody>
</SyncML>
"#;

pub(super) fn write(settings: &Settings, command: SyncmlCommand) -> String {
    let mut xml = String::from(concat!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n",
        "<SyncML xmlns=\"SYNCML:SYNCML1.2\">\n  <SyncBody>\n    <Atomic>\n      <CmdID>1</CmdID>\n",
    ));
    // Writing to a String cannot fail.
    let _ = write_items(&mut xml, settings, command);
    xml.push_str("    </Atomic>\n    <Final/>\n  </SyncBody>\n</SyncML>\n");
    xml
}

fn write_items(xml: &mut String, settings: &Settings, command: SyncmlCommand) -> core::fmt::Result {
    let name = command.name();
    writeln!(xml, "      <{name}>\n        <CmdID>2</CmdID>")?;
    for (setting, value) in settings.iter() {
        writeln!(
            xml,
            "        <Item>\n          \
             <Target><LocURI>./Device/Vendor/MSFT/LAPS/Policies/{setting}</LocURI></Target>"
        )?;
        if command != SyncmlCommand::Delete {
            let (format, data) = match value {
                Value::Minutes(minutes) => {
                    ("int", whole_hours(minutes).unwrap_or_default().to_string())
                }
                Value::Number(number) => ("int", number.to_string()),
                Value::Switch(on) => ("bool", on.to_string()),
                Value::Text(text) => ("chr", escaped(text)),
            };
            writeln!(
                xml,
                "          <Meta><Format xmlns=\"syncml:metinf\">{format}</Format><Type \
                 xmlns=\"syncml:metinf\">text/plain</Type></Meta>\n          <Data>{data}</Data>"
            )?;
        }
        writeln!(xml, "        </Item>")?;
    }
    writeln!(xml, "      </{name}>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
