//! Where in a JSON document of Graph's the reader is, and what it does with what it does not read.

use alloc::{
    borrow::Cow,
    collections::BTreeMap,
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use super::{
    Raw,
    json::{JsonNode, PathStep},
    passed_over::is_of_laps,
};

pub(super) type JsonMembers = BTreeMap<String, JsonNode>;

/// Why reading stopped, at the place to which the path leads.
pub(super) type StopText = Cow<'static, str>;

/// Where in the text the reader is.
pub(super) struct DocumentPlaces<'a> {
    pub(super) text: &'a str,
    /// From the document to what is read now; where reading stopped, after a refusal.
    pub(super) path: Vec<PathStep<'a>>,
    /// For a text that was found, the byte behind its last place.
    after: BTreeMap<String, usize>,
}

impl<'a> DocumentPlaces<'a> {
    /// At the start of a text.
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, path: Vec::new(), after: BTreeMap::new() }
    }

    /// Reads something one step further in.
    pub(super) fn within<T>(
        &mut self,
        step: PathStep<'a>,
        read: impl FnOnce(&mut Self) -> Result<T, StopText>,
    ) -> Result<T, StopText> {
        self.path.push(step);
        let done = read(self)?;
        self.path.pop();
        Ok(done)
    }

    /// A refusal at a member of the object that the path leads to.
    pub(super) fn stop<T>(
        &mut self,
        member: &'a str,
        why: impl Into<StopText>,
    ) -> Result<T, StopText> {
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

/// What a list holds, each with the step to it. PowerShell turns a list of one into what it holds.
pub(super) fn items(
    node: &JsonNode,
) -> Result<Vec<(Option<PathStep<'static>>, &JsonNode)>, StopText> {
    match node {
        JsonNode::List(items) => Ok(items
            .iter()
            .enumerate()
            .map(|(at, item)| (Some(PathStep::Item(at)), item))
            .collect()),
        JsonNode::Object(_) => Ok(Vec::from([(None, node)])),
        JsonNode::Plain(raw) => Err(cut_or(raw, "not a list; one is accepted")),
    }
}

/// Why a plain value does not do where an object or a list belongs: PowerShell writes such a text
/// in place of what lies too deep.
pub(super) fn cut_or(raw: &Raw, why: &'static str) -> StopText {
    let of_powershell = matches!(raw, Raw::Text(text) if text.is_empty()
        || text.starts_with("@{")
        || text.starts_with("System.")
        || text.starts_with("Microsoft."));
    let cut = "text in place of what stood here: PowerShell cut the document at its depth; export \
               it again with ConvertTo-Json -Depth 20";
    if of_powershell { cut.into() } else { why.into() }
}

/// An export that Graph gave page by page, and that has only the first.
pub(super) fn refuse_pages<'a>(
    members: &'a JsonMembers,
    list: &str,
    places: &mut DocumentPlaces<'a>,
) -> Result<(), StopText> {
    let have = match members.get(list) {
        Some(JsonNode::List(items)) => items.len(),
        Some(JsonNode::Object(_)) => 1,
        Some(JsonNode::Plain(_)) | None => return Ok(()),
    };
    let next = |name: &str| name == "@odata.nextLink" || name == format!("{list}@odata.nextLink");
    let link = members
        .iter()
        .find(|(name, node)| next(name) && !matches!(node, JsonNode::Plain(Raw::Other("null"))));
    if let Some((name, _)) = link {
        let all = match members.get("settingCount") {
            Some(JsonNode::Plain(Raw::Whole(count))) => format!(" of {count}"),
            _ => String::new(),
        };
        let why = format!(
            "the document was cut after the first {have}{all}: the rest follows under this \
             address; save every page, and join them in one list"
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
            JsonNode::Plain(Raw::Whole(count))
                if usize::try_from(*count).is_ok_and(|count| count <= have) => {}
            JsonNode::Plain(Raw::Whole(count)) => {
                let why = format!(
                    "the document was cut: {name} is {count}, and {have} are here; export the \
                     policy with all of its settings"
                );
                return places.stop(name, why);
            }
            JsonNode::Plain(Raw::Other("null")) => {}
            JsonNode::Plain(_) | JsonNode::List(_) | JsonNode::Object(_) => {
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
    members: &'a JsonMembers,
    read: &[&str],
    known: &[&str],
    note: &mut dyn FnMut(&str),
    places: &mut DocumentPlaces<'a>,
) -> Result<(), StopText> {
    for (name, node) in members {
        if read.contains(&&**name) {
            continue;
        }
        if mentions(node) && !(known.contains(&&**name) && matches!(node, JsonNode::Plain(_))) {
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
pub(super) fn mentions(node: &JsonNode) -> bool {
    match node {
        JsonNode::List(items) => items.iter().any(mentions),
        JsonNode::Object(members) => mentions_in(members),
        JsonNode::Plain(Raw::Text(text)) => is_of_laps(text),
        JsonNode::Plain(_) => false,
    }
}

pub(super) fn mentions_in(members: &JsonMembers) -> bool {
    members.iter().any(|(name, node)| is_of_laps(name) || mentions(node))
}

/// Every text in a value, in lower case.
pub(super) fn texts(node: &JsonNode, all: &mut Vec<String>) {
    match node {
        JsonNode::List(items) => items.iter().for_each(|item| texts(item, all)),
        JsonNode::Object(members) => members.values().for_each(|node| texts(node, all)),
        JsonNode::Plain(Raw::Text(text)) => all.push(text.to_ascii_lowercase()),
        JsonNode::Plain(_) => {}
    }
}
