//! JSON, and our own policy files.

use alloc::{collections::BTreeMap, format, string::String, string::ToString as _, vec::Vec};
use core::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Document, Form, Position, Raw, Root, SettingEntry};

/// A JSON value. Unlike `serde_json::Value` it refuses an object with the same name twice.
#[derive(Debug)]
pub(super) enum JsonNode {
    List(Vec<Self>),
    Object(BTreeMap<String, Self>),
    Plain(Raw),
}

/// Our own policy: every member is a setting.
pub(super) fn read_ours(
    members: &BTreeMap<String, JsonNode>,
    line_of: impl Fn(&str) -> Option<u32>,
) -> Document {
    let mut document = Document::new(Form::Json);
    document.entries = members
        .iter()
        .map(|(name, node)| {
            let raw = match node {
                JsonNode::List(_) => Raw::Other("a list"),
                JsonNode::Object(_) => Raw::Other("an object"),
                JsonNode::Plain(raw) => raw.clone(),
            };
            SettingEntry { root: Root::Csp, name: name.clone(), raw, line: line_of(name) }
        })
        .collect();
    document.entries.sort_by_key(|entry| entry.line);
    document
}

/// Strict JSON: depth at most 128 (`serde_json`'s own limit), no name twice in an object, nothing
/// after it.
pub(super) fn parse(text: &str) -> Result<JsonNode, Position> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
        Position::on(error.line(), error.column(), &format!("not a JSON document: {message}"))
    })
}

/// One step from a value of a document into it.
#[derive(Clone, Copy)]
pub(super) enum PathStep<'a> {
    /// The member of an object with this name.
    Member(&'a str),
    /// The value at this place, from 0, of a list or an object.
    Item(usize),
}

/// A mistake at the value to which the steps lead; at the last that is there, where they lead
/// nowhere.
pub(super) fn at(text: &str, path: &[PathStep<'_>], message: &str) -> Position {
    let mut rest = text.trim_start();
    for step in path {
        let Some(inner) = into(rest, step) else { break };
        rest = inner;
    }
    Position::at(text, text.len().saturating_sub(rest.len()), message)
}

/// The text from the value on to which a step leads. The text was parsed before.
fn into<'a>(text: &'a str, step: &PathStep<'_>) -> Option<&'a str> {
    let in_object = text.starts_with('{');
    let mut rest = text.strip_prefix(['{', '['])?.trim_start();
    let mut index = 0_usize;
    loop {
        let mut name = None;
        if in_object {
            (name, rest) = first::<String>(rest);
            rest = rest.strip_prefix(':')?.trim_start();
        }
        let found = match step {
            PathStep::Member(wanted) => name.as_deref() == Some(*wanted),
            PathStep::Item(wanted) => index == *wanted,
        };
        if found {
            return Some(rest);
        }
        rest = first::<IgnoredAny>(rest).1.strip_prefix(',')?.trim_start();
        index = index.saturating_add(1);
    }
}

/// The first value of a text, and the text behind it.
fn first<'a, T: Deserialize<'a>>(text: &'a str) -> (Option<T>, &'a str) {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let value = values.next().and_then(Result::ok);
    (value, text.get(values.byte_offset()..).unwrap_or_default().trim_start())
}

/// The line of a top-level member, for findings: where its name first stands in quotes with a colon
/// behind.
pub(super) fn line_of(text: &str, name: &str) -> Option<u32> {
    let quoted = format!("\"{name}\"");
    let (at, _) = text.match_indices(&quoted).find(|(at, found)| {
        let rest = text.get(at.saturating_add(found.len())..).unwrap_or_default();
        rest.trim_start().starts_with(':')
    })?;
    u32::try_from(text.get(..at)?.matches('\n').count().saturating_add(1)).ok()
}

impl<'de> Deserialize<'de> for JsonNode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = JsonNode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<JsonNode, E> {
        Ok(JsonNode::Plain(Raw::Switch(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<JsonNode, E> {
        Ok(JsonNode::Plain(Raw::Whole(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<JsonNode, E> {
        // What is too large for i64 is out of every range all the same.
        Ok(JsonNode::Plain(Raw::Whole(i64::try_from(value).unwrap_or(i64::MAX))))
    }

    fn visit_f64<E>(self, value: f64) -> Result<JsonNode, E> {
        Ok(JsonNode::Plain(Raw::Fraction(value)))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<JsonNode, E> {
        if value.contains('\0') {
            return Err(E::custom("a NUL character in text"));
        }
        Ok(JsonNode::Plain(Raw::Text(value.into())))
    }

    fn visit_unit<E>(self) -> Result<JsonNode, E> {
        Ok(JsonNode::Plain(Raw::Other("null")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<JsonNode, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = from.next_element()? {
            list.push(node);
        }
        Ok(JsonNode::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<JsonNode, A::Error> {
        let mut object = BTreeMap::new();
        while let Some(name) = from.next_key::<String>()? {
            if name.contains('\0') {
                return Err(A::Error::custom("a NUL character in a name"));
            }
            if object.contains_key(&name) {
                let name = Raw::Text(name);
                return Err(A::Error::custom(format_args!(
                    "the name {name} stands twice in one object"
                )));
            }
            object.insert(name, from.next_value()?);
        }
        Ok(JsonNode::Object(object))
    }
}
