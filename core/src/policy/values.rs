//! One value for every setting, inline.

use super::{
    Setting, Value,
    setting::{MAX_PREFIX, MAX_PRINCIPAL, ValuePlace},
};
use crate::identity::{AccountName, Text};

const COUNT: usize = Setting::ALL.len();
/// Room for each text: four bytes a character.
type Principal = Text<{ 4 * MAX_PRINCIPAL as usize }>;
type Prefix = Text<{ 4 * MAX_PREFIX as usize }>;

/// Numbers (switches as 0 and 1, the delay in minutes; of a text the place is not used) and texts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Values {
    numbers: [u16; COUNT],
    pub(super) name: AccountName,
    pub(super) principal: Principal,
    pub(super) prefix: Prefix,
}

impl Values {
    /// The number behind a setting; 0 for the texts.
    pub(super) fn number(&self, setting: Setting) -> u16 {
        self.numbers.get(slot(setting)).copied().unwrap_or_default()
    }

    pub(super) fn value(&self, setting: Setting) -> Value<'_> {
        let number = self.number(setting);
        let row = setting.row();
        match (row.place, row.default) {
            (ValuePlace::AccountName, _) => Value::Text(self.name.as_str()),
            (ValuePlace::Principal, _) => Value::Text(self.principal.as_str()),
            (ValuePlace::Prefix, _) => Value::Text(self.prefix.as_str()),
            (ValuePlace::Number, Value::Minutes(_)) => Value::Minutes(number),
            (ValuePlace::Number, Value::Switch(_)) => Value::Switch(number != 0),
            (ValuePlace::Number, Value::Number(_) | Value::Text(_)) => Value::Number(number),
        }
    }

    /// Puts a value that was checked; nothing happens when it has another kind or does not fit.
    pub(super) fn put(&mut self, setting: Setting, value: Value<'_>) {
        match (setting.row().place, value) {
            (ValuePlace::Number, Value::Minutes(number) | Value::Number(number)) => {
                self.put_number(setting, number);
            }
            (ValuePlace::Number, Value::Switch(on)) => self.put_number(setting, u16::from(on)),
            (ValuePlace::AccountName, Value::Text(text)) => {
                self.name = AccountName::new(text).unwrap_or(self.name);
            }
            (ValuePlace::Principal, Value::Text(text)) => {
                self.principal = Principal::new(text).unwrap_or(self.principal);
            }
            (ValuePlace::Prefix, Value::Text(text)) => {
                self.prefix = Prefix::new(text).unwrap_or(self.prefix);
            }
            (ValuePlace::Number, Value::Text(_))
            | (ValuePlace::AccountName | ValuePlace::Principal | ValuePlace::Prefix, _) => {}
        }
    }

    fn put_number(&mut self, setting: Setting, number: u16) {
        if let Some(place) = self.numbers.get_mut(slot(setting)) {
            *place = number;
        }
    }
}

/// The default of every setting.
impl Default for Values {
    fn default() -> Self {
        let mut table = Self {
            numbers: [0; COUNT],
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
