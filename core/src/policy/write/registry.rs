//! `.reg` files, byte for byte as the registry editor exports them.

use alloc::{format, string::String, vec::Vec};

use crate::policy::{Root, Settings, Value, setting::whole_hours};

pub(super) fn write(settings: &Settings, root: Root) -> Vec<u8> {
    let mut text = format!("Windows Registry Editor Version 5.00\r\n\r\n[{}]\r\n", root.key());
    for (setting, value) in settings.iter() {
        let value = match value {
            Value::Minutes(minutes) => dword(whole_hours(minutes).unwrap_or_default()),
            Value::Number(number) => dword(number),
            Value::Switch(on) => dword(u16::from(on)),
            Value::Text(text) => quoted(text),
        };
        text.push_str(&format!("\"{setting}\"={value}\r\n"));
    }
    text.push_str("\r\n");
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn dword(number: u16) -> String {
    format!("dword:{number:08x}")
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}
