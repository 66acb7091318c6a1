//! CSP `SyncML`, as an MDM sends it to a device and as a device answers (windows-laps §1.3).

mod shape;
mod status;

use alloc::{format, string::String, vec::Vec};

use roxmltree::{Node, ParsingOptions};

pub use self::status::ResetStatus;
use self::{
    shape::{MAX_NODES, check_shape, without_declaration},
    status::hresult,
};
use super::{
    Document, Form, MAX_ENTRIES, Position, Raw, Root, SettingEntry, TOO_MANY, Trap, kinds,
    passed_over::{Target, is_of_laps, target},
    quoted,
};
use crate::policy::{Setting, finding::nearest};

pub(super) fn read(text: &str) -> Result<Document, Position> {
    // Fragments have several top-level elements: they get one around them, on a line of its own.
    let (wrapped, added) = match check_shape(text)? {
        0 | 1 => (None, 0),
        _ => (Some(format!("<SyncBody>\n{}\n</SyncBody>", without_declaration(text))), 1),
    };
    let move_up =
        |position: Position| Position { line: position.line.saturating_sub(added), ..position };
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let xml = roxmltree::Document::parse_with_options(wrapped.as_deref().unwrap_or(text), options)
        .map_err(|error| {
            let at = error.pos();
            let message = format!("{error}");
            let message = message.rsplit_once(" at ").map_or(&*message, |(message, _)| message);
            let message = format!("not an XML document: {message}");
            move_up(Position { line: at.row, column: at.col, message })
        })?;
    let mut document = Document::new(Form::Csp);
    let mut reader = SyncmlReader { document: &mut document, items: 0, added };
    let read = reader.element(xml.root_element());
    let items = reader.items;
    read.map_err(move_up)?;
    if items == 0 {
        return Err(Position::whole(
            "no command about a LAPS node; their LocURI begin with ./Device/Vendor/MSFT/LAPS/",
        ));
    }
    Ok(document)
}

struct SyncmlReader<'a> {
    document: &'a mut Document,
    /// Commands about nodes of LAPS.
    items: usize,
    /// Lines that stand before the document's own.
    added: u32,
}

impl SyncmlReader<'_> {
    fn element(&mut self, node: Node<'_, '_>) -> Result<(), Position> {
        let name = node.tag_name().name();
        if let Err(refused) = check_namespace(node) {
            let namespace = node.tag_name().namespace().unwrap_or_default();
            return Err(kinds::of_xml(name, namespace).map_or(refused, |what| refuse(node, what)));
        }
        match name {
            "SyncML" | "SyncBody" | "Atomic" | "Sequence" => {
                only_elements(node)?;
                node.children().filter(Node::is_element).try_for_each(|child| self.element(child))
            }
            "Add" | "Replace" | "Delete" | "Exec" | "Get" | "Results" => self.command(node),
            "Status" => self.status(node),
            "SyncHdr" | "CmdID" | "Final" | "Alert" | "Meta" | "NoResp" | "Cred" => {
                without_laps(node)
            }
            _ => {
                if let Some(what) = kinds::of_xml(name, "") {
                    return Err(refuse(node, what));
                }
                if node.parent_element().is_none() {
                    return Err(refuse(
                        node,
                        &format!(
                            "{}; a SyncML document of Add, Replace, Delete, Exec, Get or Results \
                             is accepted",
                            quoted("the element", name)
                        ),
                    ));
                }
                self.other(node)
            }
        }
    }

    /// An element that is not known here: passed over, unless something of LAPS is in it.
    fn other(&mut self, node: Node<'_, '_>) -> Result<(), Position> {
        without_laps(node)?;
        let line = self.line(node);
        self.document.pass_over(&quoted("the element", node.tag_name().name()), line);
        Ok(())
    }

    fn line(&self, node: Node<'_, '_>) -> Option<u32> {
        Some(node.document().text_pos_at(node.range().start).row.saturating_sub(self.added))
    }

    /// Passes over the children of an element that are not read; those in `known` by their name.
    fn others(
        &mut self,
        node: Node<'_, '_>,
        read: &[&str],
        known: &[&str],
    ) -> Result<(), Position> {
        only_elements(node)?;
        for child in node.children().filter(Node::is_element) {
            let name = child.tag_name().name();
            if known.contains(&name) {
                without_laps(child)?;
            } else if !read.contains(&name) {
                self.other(child)?;
            }
        }
        Ok(())
    }

    fn command(&mut self, node: Node<'_, '_>) -> Result<(), Position> {
        const KNOWN: [&str; 6] = ["CmdID", "NoResp", "Cred", "Meta", "MsgRef", "CmdRef"];
        self.others(node, &["Item", "TargetRef", "SourceRef"], &KNOWN)?;
        let shared = child(node, "Meta")?;
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

    /// How a device took a command. Only a refused question about the last rotation is of interest.
    fn status(&mut self, node: Node<'_, '_>) -> Result<(), Position> {
        for child in node.children().filter(Node::is_element) {
            // What the status is about stands here as text; anything deeper is no status.
            if !["TargetRef", "SourceRef"].contains(&child.tag_name().name())
                || child.has_children() && text_of(child).is_err()
            {
                without_laps(child)?;
            }
        }
        let mut about = node
            .children()
            .filter(|child| ["TargetRef", "SourceRef"].contains(&child.tag_name().name()))
            .filter_map(|child| child.text());
        let asked = about.any(|uri| {
            matches!(
                target(uri),
                Target::Laps("Actions/ResetPasswordStatus" | "Actions/ResetPassword")
            )
        });
        if !asked {
            return Ok(());
        }
        self.items = self.items.saturating_add(1);
        let data = child(node, "Data")?.map(text_of).transpose()?.unwrap_or_default();
        let status: u16 = data
            .trim()
            .parse()
            .map_err(|_| refuse(node, &quoted("the status is not a number:", &data)))?;
        if !(200..300).contains(&status) && self.document.reset_status.is_none() {
            self.document.reset_status = Some(ResetStatus::NoAnswer(status));
        }
        Ok(())
    }

    fn item(
        &mut self,
        command: &str,
        item: Node<'_, '_>,
        shared: Option<Node<'_, '_>>,
    ) -> Result<(), Position> {
        let place = if command == "Results" { "Source" } else { "Target" };
        let target_of =
            child(item, place)?.ok_or_else(|| refuse(item, &format!("an Item without {place}")))?;
        let uri = child(target_of, "LocURI")?
            .ok_or_else(|| refuse(target_of, "a target without LocURI"))?;
        let uri = text_of(uri)?;
        let uri = uri.trim();
        let path = match target(uri) {
            Target::Laps(path) => path,
            Target::Misspelt(why) => return Err(refuse(item, &why)),
            Target::Other => return self.other_item(uri, item),
        };
        self.others(
            item,
            &["Target", "Source", "Data", "Meta"],
            &["SourceParent", "TargetParent"],
        )?;
        self.others(target_of, &["LocURI"], &["LocName"])?;
        if let Some(meta) = child(item, "Meta")? {
            without_laps(meta)?;
        }
        self.items = self.items.saturating_add(1);
        if self.items > MAX_ENTRIES {
            return Err(refuse(item, TOO_MANY));
        }
        let unknown = || {
            refuse(
                item,
                &format!("{}: there is no such command for this node", quoted(command, uri)),
            )
        };
        match (command, path, path.strip_prefix("Policies/")) {
            ("Add" | "Replace", _, Some(name)) => self.set(name, item, shared),
            // The node that the settings lie under; it holds nothing itself.
            ("Add" | "Replace", "Policies" | "", _) => Ok(()),
            ("Delete", "Policies" | "", _) => {
                self.document.remove(Root::Csp, None, self.line(item));
                Ok(())
            }
            ("Delete", _, Some(name)) => {
                let setting = Setting::from_name(name).filter(|setting| setting.in_csp());
                let setting = setting.ok_or_else(|| match nearest(name) {
                    Some(near) => refuse(
                        item,
                        &format!(
                            "{}; the nearest is {near}",
                            quoted("no setting has this name:", name)
                        ),
                    ),
                    None => unknown(),
                })?;
                self.document.remove(Root::Csp, Some(setting), self.line(item));
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
            ("Get" | "Results", _, _) => {
                let what = if command == "Get" {
                    "the question about"
                } else {
                    "the device's answer about"
                };
                let line = self.line(item);
                self.document.pass_over(&format!("{what} {path}"), line);
                Ok(())
            }
            _ => Err(unknown()),
        }
    }

    /// A command about a node of something else.
    fn other_item(&mut self, uri: &str, item: Node<'_, '_>) -> Result<(), Position> {
        item.children().filter(Node::is_element).try_for_each(without_laps)?;
        let data = item.children().find(|child| child.tag_name().name() == "Data").map(|data| {
            data.descendants()
                .filter(Node::is_text)
                .filter_map(|part| part.text())
                .collect::<String>()
        });
        let line = self.line(item);
        if let Some(trap) = data.and_then(|data| Trap::of_uri(uri, &Raw::Text(data))) {
            self.document.traps.push((trap, line));
        }
        self.document.pass_over(uri, line);
        Ok(())
    }

    fn set(
        &mut self,
        name: &str,
        item: Node<'_, '_>,
        shared: Option<Node<'_, '_>>,
    ) -> Result<(), Position> {
        let mut format = None;
        // What the item says counts before what the command says for all.
        for meta in [shared, child(item, "Meta")?].into_iter().flatten() {
            self.others(meta, &["Format"], &["Type", "Size", "MaxObjSize", "Mark"])?;
            format = format_of(meta)?.or(format);
        }
        let data = child(item, "Data")?
            .ok_or_else(|| refuse(item, "an Item without Data; a setting needs a value"))?;
        let data = text_of(data)?;
        let raw = match format {
            Some(Format::Bool) => match data.trim() {
                "true" => Raw::Switch(true),
                "false" => Raw::Switch(false),
                _ => Raw::Text(data),
            },
            Some(Format::Int) => data.trim().parse().map_or(Raw::Text(data), Raw::Whole),
            Some(Format::Chr) => Raw::Text(data),
            None => untyped(name, data),
        };
        let line = self.line(item);
        self.document.entries.push(SettingEntry { root: Root::Csp, name: name.into(), raw, line });
        Ok(())
    }
}

/// Nothing of LAPS stands in an element that is passed over.
fn without_laps(node: Node<'_, '_>) -> Result<(), Position> {
    let of_laps = |part: &Node<'_, '_>| part.is_text() && part.text().is_some_and(is_of_laps);
    if node.descendants().any(|part| of_laps(&part)) {
        let what = quoted("the element", node.tag_name().name());
        return Err(refuse(
            node,
            &format!(
                "{what} with a node of LAPS in it, which would be dropped; accepted are Add, \
                 Replace, Delete, Exec, Get and Results"
            ),
        ));
    }
    Ok(())
}

/// An element that holds elements holds no text beside them.
fn only_elements(node: Node<'_, '_>) -> Result<(), Position> {
    let stray = |child: &Node<'_, '_>| {
        child.is_text() && child.text().is_some_and(|text| !text.trim().is_empty())
    };
    match node.children().find(stray) {
        Some(text) => Err(refuse(text, "text where only elements are accepted")),
        None => Ok(()),
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
