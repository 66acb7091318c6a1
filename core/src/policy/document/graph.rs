//! JSON documents from outside in: which of their objects are policies.
//!
//! Microsoft Graph gives one object, or a list of them under `value`; scripts write arrays.
//! PowerShell turns a list of one into the object itself, and cuts what lies deeper than it was
//! told; Graph cuts long lists into pages. What was cut is refused, for a setting could be missing.

use alloc::{
    borrow::{Cow, ToOwned as _},
    collections::BTreeMap,
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use super::{
    Document, MAX_ENTRIES, PassedOver, Position, Raw, TOO_MANY, intune,
    json::{self, Node, PathStep},
    kinds, oma,
    passed_over::is_of_laps,
    short,
};

pub(super) type Members = BTreeMap<String, Node>;

/// Why reading stopped, at the place to which the path leads.
pub(super) type Stop = Cow<'static, str>;

/// Where in the text the reader is.
pub(super) struct Places<'a> {
    pub(super) text: &'a str,
    /// From the document to what is read now; where reading stopped, after a refusal.
    pub(super) path: Vec<PathStep<'a>>,
    /// For a text that was found, the byte behind its last place.
    after: BTreeMap<String, usize>,
}

impl<'a> Places<'a> {
    /// Reads something one step further in.
    pub(super) fn within<T>(
        &mut self,
        step: PathStep<'a>,
        read: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        self.path.push(step);
        let done = read(self)?;
        self.path.pop();
        Ok(done)
    }

    /// A refusal at a member of the object that the path leads to.
    pub(super) fn stop<T>(&mut self, member: &'a str, why: impl Into<Stop>) -> Result<T, Stop> {
        self.path.push(PathStep::Member(member));
        Err(why.into())
    }

    /// For findings: the line on which a member with this name next has this text; none when the
    /// document writes it with escapes.
    pub(super) fn next(&mut self, member: &str, value: &str) -> Option<u32> {
        let start = self.after.get(value).copied().unwrap_or_default();
        let quoted = format!("\"{value}\"");
        let name = format!("\"{member}\"");
        let (at, _) = self.text.get(start..)?.match_indices(&quoted).find(|(at, _)| {
            let before = self.text.get(..start.saturating_add(*at)).unwrap_or_default();
            let before = before.trim_end().strip_suffix(':').map(str::trim_end);
            before.is_some_and(|before| before.ends_with(&name))
        })?;
        let at = start.saturating_add(at);
        self.after.insert(value.to_string(), at.saturating_add(quoted.len()));
        u32::try_from(self.text.get(..at)?.matches('\n').count().saturating_add(1)).ok()
    }
}

pub(super) fn read(text: &str, node: &Node) -> Result<Vec<Document>, Position> {
    let mut places = Places { text, path: Vec::new(), after: BTreeMap::new() };
    let mut all = Found::default();
    all.node(node, &mut places).map_err(|why| json::at(text, &places.path, &why))?;
    if all.policies.is_empty() {
        let what = all.others.first().map_or_else(
            || "an empty list; a policy is a JSON object".to_owned(),
            |other| format!("no policy of LAPS in it; the first that it has is {}", other.what),
        );
        return Err(json::at(text, &[], &what));
    }
    for document in &mut all.policies {
        all.others.iter().for_each(|other| document.pass_over(&other.what, other.line));
    }
    Ok(all.policies)
}

#[derive(Default)]
struct Found {
    policies: Vec<Document>,
    others: Vec<PassedOver>,
    in_list: bool,
}

impl Found {
    fn node<'a>(&mut self, node: &'a Node, places: &mut Places<'a>) -> Result<(), Stop> {
        match node {
            Node::Object(members) if is_list(members) => self.pages(members, places),
            Node::Object(members) => self.object(members, places),
            Node::List(_) => self.list(node, places),
            Node::Plain(raw) => Err(cut_or(raw, "not a JSON object; a policy is one")),
        }
    }

    /// A list as Graph answers it.
    fn pages<'a>(&mut self, members: &'a Members, places: &mut Places<'a>) -> Result<(), Stop> {
        refuse_pages(members, "value", places)?;
        pass_over_others(members, &["value"], &[], &mut self.note(), places)?;
        let Some(value) = members.get("value") else { return Ok(()) };
        places.within(PathStep::Member("value"), |places| self.list(value, places))
    }

    fn list<'a>(&mut self, node: &'a Node, places: &mut Places<'a>) -> Result<(), Stop> {
        let items = items(node)?;
        // The settings end point: the settings of one policy, without it.
        let of_settings = |item: &(Option<PathStep<'_>>, &Node)| matches!(item.1, Node::Object(members) if intune::is_setting(members));
        if items.first().is_some_and(of_settings) {
            let document = intune::read_settings(node, places)?;
            self.policies.push(document);
            return Ok(());
        }
        self.in_list = true;
        for (step, item) in items {
            match step {
                Some(step) => places.within(step, |places| self.node(item, places))?,
                None => self.node(item, places)?,
            }
        }
        Ok(())
    }

    fn object<'a>(&mut self, members: &'a Members, places: &mut Places<'a>) -> Result<(), Stop> {
        if let Some(what) = kinds::of_json(members) {
            return if self.in_list && !mentions_in(members) {
                self.other(what.to_owned());
                Ok(())
            } else {
                Err(what.into())
            };
        }
        let mut document = if members.contains_key("omaSettings") {
            oma::read(members, places)?
        } else if intune::is_policy(members) {
            if self.in_list && intune::is_something_else(members) {
                if mentions_in(members) {
                    return Err("settings of LAPS in an object that is no policy".into());
                }
                let title = intune::name_of(members);
                self.other(format!("{:?}", title.0));
                return Ok(());
            }
            intune::read(members, places)?
        } else {
            if members.len() > MAX_ENTRIES {
                places.path.push(PathStep::Item(MAX_ENTRIES));
                return Err(TOO_MANY.into());
            }
            let text = places.text;
            json::read_ours(members, |name| json::line_of(text, name))
        };
        (document.name, document.id) = intune::name_of(members);
        if document.name.is_empty() && self.in_list {
            let number = self.policies.len().saturating_add(self.others.len()).saturating_add(1);
            document.name = number.to_string();
        }
        if document.is_about_laps() || !self.in_list {
            self.policies.push(document);
        } else {
            self.other(format!("{:?}, without a setting of LAPS", document.name));
        }
        Ok(())
    }

    fn other(&mut self, what: String) {
        self.others.push(PassedOver { what: short(&what), line: None });
    }

    fn note(&mut self) -> impl FnMut(&str) {
        |what| self.others.push(PassedOver { what: short(what), line: None })
    }
}

/// Whether an object is a list of Graph's. No setting is called `value`.
fn is_list(members: &Members) -> bool {
    matches!(members.get("value"), Some(Node::List(_) | Node::Object(_)))
        && !members.contains_key("omaUri")
        && !members.contains_key("settingDefinitionId")
}

/// What a list holds, each with the step to it. PowerShell turns a list of one into what it holds.
pub(super) fn items(node: &Node) -> Result<Vec<(Option<PathStep<'static>>, &Node)>, Stop> {
    match node {
        Node::List(items) => Ok(items
            .iter()
            .enumerate()
            .map(|(at, item)| (Some(PathStep::Item(at)), item))
            .collect()),
        Node::Object(_) => Ok(Vec::from([(None, node)])),
        Node::Plain(raw) => Err(cut_or(raw, "not a list; one is accepted")),
    }
}

/// Why a plain value does not do where an object or a list belongs: PowerShell writes such a text
/// in place of what lies too deep.
pub(super) fn cut_or(raw: &Raw, why: &'static str) -> Stop {
    let of_powershell = matches!(raw, Raw::Text(text) if text.is_empty()
        || text.starts_with("@{")
        || text.starts_with("System.")
        || text.starts_with("Microsoft."));
    let cut = "text in place of what stood here: PowerShell cut the document at its depth; export it again with ConvertTo-Json -Depth 20";
    if of_powershell { cut.into() } else { why.into() }
}

/// An export that Graph gave page by page, and that has only the first.
pub(super) fn refuse_pages<'a>(
    members: &'a Members,
    list: &str,
    places: &mut Places<'a>,
) -> Result<(), Stop> {
    let have = match members.get(list) {
        Some(Node::List(items)) => items.len(),
        Some(Node::Object(_)) => 1,
        Some(Node::Plain(_)) | None => return Ok(()),
    };
    let next = |name: &str| name == "@odata.nextLink" || name == format!("{list}@odata.nextLink");
    let link = members
        .iter()
        .find(|(name, node)| next(name) && !matches!(node, Node::Plain(Raw::Other("null"))));
    if let Some((name, _)) = link {
        let all = match members.get("settingCount") {
            Some(Node::Plain(Raw::Whole(count))) => format!(" of {count}"),
            _ => String::new(),
        };
        let why = format!(
            "the document was cut after the first {have}{all}: the rest follows under this address; save every page, and join them in one list"
        );
        return places.stop(name, why);
    }
    let count_of_list = format!("{list}@odata.count");
    for (name, node) in members {
        let counts = *name == count_of_list
            || name == "@odata.count"
            || (name == "settingCount" && list == "settings");
        if !counts {
            continue;
        }
        match node {
            Node::Plain(Raw::Whole(count))
                if usize::try_from(*count).is_ok_and(|count| count <= have) => {}
            Node::Plain(Raw::Whole(count)) => {
                let why = format!(
                    "the document was cut: {name} is {count}, and {have} are here; export the policy with all of its settings"
                );
                return places.stop(name, why);
            }
            Node::Plain(Raw::Other("null")) => {}
            Node::Plain(_) | Node::List(_) | Node::Object(_) => {
                return places.stop(name, "a count is a whole number");
            }
        }
    }
    Ok(())
}

/// Passes over the members of an object that are not read: `read` are read elsewhere, `known` are
/// passed over by name, and another is noted. A setting of LAPS in one of them is refused: nobody
/// would find it there.
pub(super) fn pass_over_others<'a>(
    members: &'a Members,
    read: &[&str],
    known: &[&str],
    note: &mut dyn FnMut(&str),
    places: &mut Places<'a>,
) -> Result<(), Stop> {
    for (name, node) in members {
        if read.contains(&&**name) {
            continue;
        }
        if mentions(node) && !(known.contains(&&**name) && matches!(node, Node::Plain(_))) {
            return places
                .stop(name, "a setting of LAPS where no policy has one; it would be dropped");
        }
        let of_odata = name.contains("@odata.") || name.starts_with('#') || name.starts_with('@');
        if !of_odata && !known.contains(&&**name) {
            note(&format!("the member {}", Raw::Text(name.clone())));
        }
    }
    Ok(())
}

/// Whether something of LAPS stands anywhere in a value.
pub(super) fn mentions(node: &Node) -> bool {
    match node {
        Node::List(items) => items.iter().any(mentions),
        Node::Object(members) => mentions_in(members),
        Node::Plain(Raw::Text(text)) => is_of_laps(text),
        Node::Plain(_) => false,
    }
}

pub(super) fn mentions_in(members: &Members) -> bool {
    members.iter().any(|(name, node)| is_of_laps(name) || mentions(node))
}

/// Every text in a value, in lower case.
pub(super) fn texts(node: &Node, all: &mut Vec<String>) {
    match node {
        Node::List(items) => items.iter().for_each(|item| texts(item, all)),
        Node::Object(members) => members.values().for_each(|node| texts(node, all)),
        Node::Plain(Raw::Text(text)) => all.push(text.to_ascii_lowercase()),
        Node::Plain(_) => {}
    }
}
