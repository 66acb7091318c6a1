//! One value for every setting, inline.

use super::{Prefix, Principal, Setting, Value};
use crate::identity::AccountName;

/// Fifteen numbers (switches as 0 and 1, the delay in minutes) and three texts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Table {
    numbers: [u16; 18],
    pub(super) name: AccountName,
    pub(super) principal: Principal,
    pub(super) prefix: Prefix,
}

impl Table {
    /// The number behind a setting; 0 for the texts.
    pub(super) fn number(&self, setting: Setting) -> u16 {
        self.numbers.get(slot(setting)).copied().unwrap_or_default()
    }

    pub(super) fn value(&self, setting: Setting) -> Value<'_> {
        let number = self.number(setting);
        match setting.default_value() {
            Value::Minutes(_) => Value::Minutes(number),
            Value::Number(_) => Value::Number(number),
            Value::Switch(_) => Value::Switch(number != 0),
            Value::Text(_) => Value::Text(if setting == Setting::ADPasswordEncryptionPrincipal {
                self.principal.as_str()
            } else if setting == Setting::AutomaticAccountManagementNameOrPrefix {
                self.prefix.as_str()
            } else {
                self.name.as_str()
            }),
        }
    }

    /// Puts a value that was checked; nothing happens when it has another kind or does not fit.
    pub(super) fn put(&mut self, setting: Setting, value: Value<'_>) {
        match value {
            Value::Minutes(number) | Value::Number(number) => self.put_number(setting, number),
            Value::Switch(on) => self.put_number(setting, u16::from(on)),
            Value::Text(text) if setting == Setting::ADPasswordEncryptionPrincipal => {
                self.principal = Principal::new(text).unwrap_or(self.principal);
            }
            Value::Text(text) if setting == Setting::AutomaticAccountManagementNameOrPrefix => {
                self.prefix = Prefix::new(text).unwrap_or(self.prefix);
            }
            Value::Text(text) => self.name = AccountName::new(text).unwrap_or(self.name),
        }
    }

    fn put_number(&mut self, setting: Setting, number: u16) {
        if let Some(place) = self.numbers.get_mut(slot(setting)) {
            *place = number;
        }
    }
}

/// The default of every setting.
impl Default for Table {
    fn default() -> Self {
        let mut table = Self {
            numbers: [0; 18],
            name: AccountName::EMPTY,
            principal: Principal::EMPTY,
            prefix: Prefix::EMPTY,
        };
        for setting in Setting::ALL {
            table.put(setting, setting.default_value());
        }
        table
    }
}

const fn slot(setting: Setting) -> usize {
    (setting as usize).wrapping_sub(1)
}
