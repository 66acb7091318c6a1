//! CSP `SyncML`, as an MDM sends it to a device and as a device answers (windows-laps §1.3).

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use roxmltree::{Node, ParsingOptions};

use super::{Document, Entry, Form, MAX_ENTRIES, Position, Raw, Root, TOO_MANY, quoted};
use crate::policy::Setting;

/// How the last Exec of `ResetPassword` went: its HRESULT.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ResetStatus {
    /// Anything else: this error.
    Failed(u32),
    /// `E_PENDING`, 0x8000000A: still running.
    Pending,
    /// `S_OK`, 0.
    Succeeded,
}

impl ResetStatus {
    /// From an HRESULT.
    #[must_use]
    pub const fn from_hresult(code: u32) -> Self {
        match code {
            0 => Self::Succeeded,
            0x8000_000A => Self::Pending,
            code => Self::Failed(code),
        }
    }

    /// The HRESULT.
    #[must_use]
    pub const fn hresult(self) -> u32 {
        match self {
            Self::Failed(code) => code,
            Self::Pending => 0x8000_000A,
            Self::Succeeded => 0,
        }
    }
}

impl fmt::Display for ResetStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(code) => write!(f, "failed with {code:#010x}"),
            Self::Pending => f.write_str("still running"),
            Self::Succeeded => f.write_str("succeeded"),
        }
    }
}

/// The deepest nesting of elements, and the longest tag. Both bound the parser's work, which grows with
/// depth and with the square of a tag's attributes.
const MAX_DEPTH: usize = 32;
const MAX_TAG: usize = 1024;
const MAX_NODES: u32 = 50_000;

/// The device's node of LAPS; `./Vendor/` is short for `./Device/Vendor/`.
const NODES: [&str; 2] = ["./Device/Vendor/MSFT/LAPS/", "./Vendor/MSFT/LAPS/"];

pub(super) fn read(text: &str, document: &mut Document) -> Result<(), Position> {
    document.form = Form::Csp;
    check_shape(text)?;
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let xml = roxmltree::Document::parse_with_options(text, options).map_err(|error| {
        let at = error.pos();
        let message = format!("{error}");
        let message = message.rsplit_once(" at ").map_or(&*message, |(message, _)| message);
        Position {
            line: at.row,
            column: at.col,
            message: format!("not an XML document: {message}"),
        }
    })?;
    let mut reader = Reader { document, items: 0 };
    reader.element(xml.root_element())?;
    if reader.items == 0 {
        return Err(Position::whole(
            "no command about a LAPS node; their LocURI begin with ./Device/Vendor/MSFT/LAPS/",
        ));
    }
    Ok(())
}

/// Looks at the tags alone, before anything is built: no document type, bounded depth and tags.
fn check_shape(text: &str) -> Result<(), Position> {
    let mut depth = 0_usize;
    let mut at = 0_usize;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('<')) {
        at = at.saturating_add(found);
        let rest = text.get(at..).unwrap_or_default();
        let refuse = |message: &str| Position::at(text, at, message);
        let closing = |mark: &str| rest.find(mark).map(|end| end.saturating_add(mark.len()));
        let end = if rest.starts_with("<!--") {
            closing("-->")
        } else if rest.starts_with("<![CDATA[") {
            closing("]]>")
        } else if rest.starts_with("<!") {
            return Err(refuse("a document type; entities are not accepted, remove it"));
        } else if rest.starts_with("<?") {
            check_declaration(rest).map_err(|message| refuse(&message))?;
            closing("?>")
        } else if rest.starts_with("</") {
            depth = depth.saturating_sub(1);
            closing(">")
        } else {
            let end = tag_end(rest)
                .ok_or_else(|| refuse("a tag that is not closed, or over 1024 bytes long"))?;
            if rest.get(..end).is_some_and(|tag| !tag.ends_with("/>")) {
                depth = depth.saturating_add(1);
            }
            Some(end)
        };
        if depth > MAX_DEPTH {
            return Err(refuse("elements nested over 32 deep"));
        }
        // What is not closed is for the parser to report.
        let Some(end) = end else { return Ok(()) };
        at = at.saturating_add(end);
    }
    Ok(())
}

fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    text.bytes()
        .take(MAX_TAG)
        .position(|byte| match (quote, byte) {
            (None, b'>') => true,
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                false
            }
            (Some(open), byte) if open == byte => {
                quote = None;
                false
            }
            _ => false,
        })
        .map(|at| at.saturating_add(1))
}

/// The text was decoded already: a declaration must not name a third encoding.
fn check_declaration(text: &str) -> Result<(), String> {
    let declaration = text.split_once("?>").map_or("", |(declaration, _)| declaration);
    let Some((_, rest)) = declaration.strip_prefix("<?xml ").and_then(|d| d.split_once("encoding"))
    else {
        return Ok(());
    };
    let name = rest.trim_start_matches(['=', ' ', '\t', '\r', '\n']);
    let name = name.trim_matches(|letter: char| "'\" \t\r\n".contains(letter));
    let name = name.split(['"', '\'']).next().unwrap_or_default();
    if ["utf-8", "utf-16", "us-ascii"].iter().any(|known| known.eq_ignore_ascii_case(name)) {
        Ok(())
    } else {
        Err(format!("{}; accepted are utf-8 and utf-16", quoted("the declared encoding is", name)))
    }
}

struct Reader<'a> {
    document: &'a mut Document,
    /// Commands about nodes of LAPS.
    items: usize,
}

impl Reader<'_> {
    fn element(&mut self, node: Node<'_, '_>) -> Result<(), Position> {
        check_namespace(node)?;
        match node.tag_name().name() {
            "SyncML" | "SyncBody" | "Atomic" | "Sequence" => {
                node.children().filter(Node::is_element).try_for_each(|child| self.element(child))
            }
            "Add" | "Replace" | "Delete" | "Exec" | "Get" | "Results" => self.command(node),
            "SyncHdr" | "CmdID" | "Final" | "Status" | "Alert" | "Meta" => Ok(()),
            name => Err(refuse(
                node,
                &format!(
                    "{}; a SyncML document of Add, Replace, Delete, Exec, Get or Results is accepted",
                    quoted("the element", name)
                ),
            )),
        }
    }

    fn command(&mut self, node: Node<'_, '_>) -> Result<(), Position> {
        let shared = child(node, "Meta")?.map(format_of).transpose()?.flatten();
        let items: Vec<_> =
            node.children().filter(|child| child.tag_name().name() == "Item").collect();
        if items.is_empty() {
            return Err(refuse(node, "a command without an Item"));
        }
        for item in items {
            check_namespace(item)?;
            self.item(node.tag_name().name(), item, shared)?;
        }
        Ok(())
    }

    fn item(
        &mut self,
        command: &str,
        item: Node<'_, '_>,
        shared: Option<Format>,
    ) -> Result<(), Position> {
        let place = if command == "Results" { "Source" } else { "Target" };
        let target =
            child(item, place)?.ok_or_else(|| refuse(item, &format!("an Item without {place}")))?;
        let uri =
            child(target, "LocURI")?.ok_or_else(|| refuse(target, "a target without LocURI"))?;
        let uri = text_of(uri)?;
        let uri = uri.trim();
        let Some(path) = NODES.iter().find_map(|node| uri.strip_prefix(node)) else {
            return Ok(());
        };
        self.items = self.items.saturating_add(1);
        if self.items > MAX_ENTRIES {
            return Err(refuse(item, TOO_MANY));
        }
        let path = path.trim_end_matches('/');
        let unknown = || {
            refuse(
                item,
                &format!("{}: there is no such command for this node", quoted(command, uri)),
            )
        };
        match (command, path, path.strip_prefix("Policies/")) {
            ("Add" | "Replace", _, Some(name)) => self.set(name, item, shared),
            ("Delete", "Policies", _) => {
                self.document.deletes_all = true;
                Ok(())
            }
            ("Delete", _, Some(name)) => {
                let setting = Setting::from_name(name)
                    .filter(|setting| setting.in_csp())
                    .ok_or_else(unknown)?;
                if !self.document.deleted.contains(&setting) {
                    self.document.deleted.push(setting);
                }
                Ok(())
            }
            ("Exec", "Actions/ResetPassword", _) => {
                self.document.resets_password = true;
                Ok(())
            }
            ("Get", "Actions/ResetPasswordStatus", _) => {
                self.document.asks_reset_status = true;
                Ok(())
            }
            ("Results", "Actions/ResetPasswordStatus", _) => {
                let data = child(item, "Data")?.map(text_of).transpose()?.unwrap_or_default();
                let code = hresult(data.trim())
                    .ok_or_else(|| refuse(item, &quoted("the status is not a number:", &data)))?;
                self.document.reset_status = Some(ResetStatus::from_hresult(code));
                Ok(())
            }
            ("Get" | "Results", _, _) => Ok(()),
            _ => Err(unknown()),
        }
    }

    fn set(
        &mut self,
        name: &str,
        item: Node<'_, '_>,
        shared: Option<Format>,
    ) -> Result<(), Position> {
        let own = child(item, "Meta")?.map(format_of).transpose()?.flatten();
        let data = child(item, "Data")?.map(text_of).transpose()?.unwrap_or_default();
        let raw = match own.or(shared) {
            Some(Format::Bool) => match data.trim() {
                "true" => Raw::Switch(true),
                "false" => Raw::Switch(false),
                _ => Raw::Text(data),
            },
            Some(Format::Int) => data.trim().parse().map_or(Raw::Text(data), Raw::Whole),
            Some(Format::Chr) => Raw::Text(data),
            None => untyped(name, data),
        };
        let line = item.document().text_pos_at(item.range().start).row;
        self.document.entries.push(Entry {
            root: Root::Csp,
            name: name.into(),
            raw,
            line: Some(line),
        });
        Ok(())
    }
}

/// Without a Format, the node's own decides.
fn untyped(name: &str, data: String) -> Raw {
    use crate::policy::Allowed;
    match Setting::from_name(name)
        .map(|setting| setting.allowed(crate::policy::BackupDirectory::Disabled))
    {
        Some(Allowed::Switch) if data.trim() == "true" => Raw::Switch(true),
        Some(Allowed::Switch) if data.trim() == "false" => Raw::Switch(false),
        Some(Allowed::Delay { .. } | Allowed::OneOf(_) | Allowed::Range { .. }) => {
            data.trim().parse().map_or(Raw::Text(data), Raw::Whole)
        }
        Some(Allowed::Switch | Allowed::Text { .. }) | None => Raw::Text(data),
    }
}

/// HRESULTs travel as signed or unsigned decimals, or in hexadecimal.
fn hresult(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x") {
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        return plain.then(|| u32::from_str_radix(digits, 16).ok()).flatten();
    }
    text.parse::<u32>().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned))
}

/// The Format of a Meta.
#[derive(Clone, Copy)]
enum Format {
    Bool,
    Chr,
    Int,
}

fn format_of(meta: Node<'_, '_>) -> Result<Option<Format>, Position> {
    let Some(node) = child(meta, "Format")? else { return Ok(None) };
    match text_of(node)?.trim() {
        "bool" => Ok(Some(Format::Bool)),
        "chr" => Ok(Some(Format::Chr)),
        "int" => Ok(Some(Format::Int)),
        other => Err(refuse(
            node,
            &format!("{}; accepted are int, chr and bool", quoted("the format is", other)),
        )),
    }
}

/// The one child element with this name; twice is an error.
fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Result<Option<Node<'a, 'i>>, Position> {
    let mut found =
        node.children().filter(|child| child.is_element() && child.tag_name().name() == name);
    let first = found.next();
    if let Some(first) = first {
        check_namespace(first)?;
    }
    match found.next() {
        Some(second) => Err(refuse(second, &quoted("a second", name))),
        None => Ok(first),
    }
}

/// The text of an element that holds nothing else. CDATA is text; comments are not.
fn text_of(node: Node<'_, '_>) -> Result<String, Position> {
    if let Some(inner) = node.children().find(Node::is_element) {
        return Err(refuse(inner, "an element where only text is accepted"));
    }
    Ok(node.children().filter(Node::is_text).filter_map(|part| part.text()).collect())
}

/// None, or one of `SyncML`'s own: devices send `SYNCML:SYNCML1.2` and, for Meta, `syncml:metinf`.
fn check_namespace(node: Node<'_, '_>) -> Result<(), Position> {
    let namespace = node.tag_name().namespace().unwrap_or_default();
    let own = namespace.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("syncml:"));
    if own || namespace.is_empty() {
        Ok(())
    } else {
        Err(refuse(
            node,
            &format!(
                "{}; accepted are SYNCML:SYNCML1.2 and syncml:metinf",
                quoted("the namespace is", namespace)
            ),
        ))
    }
}

fn refuse(node: Node<'_, '_>, message: &str) -> Position {
    let at = node.document().text_pos_at(node.range().start);
    Position { line: at.row, column: at.col, message: message.into() }
}
