//! JSON documents from outside in: which of their objects are policies.
//!
//! Microsoft Graph gives one object, or a list of them under `value`; scripts write arrays.
//! PowerShell turns a list of one into the object itself, and cuts what lies deeper than it was
//! told; Graph cuts long lists into pages. What was cut is refused, for a setting could be missing.

use alloc::{
    borrow::ToOwned as _,
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use super::{
    Document, MAX_ENTRIES, PassedOver, Position, TOO_MANY, intune,
    json::{self, JsonNode, PathStep},
    kinds, oma,
    place::{
        DocumentPlaces, JsonMembers, StopText, cut_or, items, mentions_in, pass_over_others,
        refuse_pages,
    },
    short,
};

/// The policies in a JSON document: none, one or several.
pub(super) fn read(text: &str) -> Result<Vec<Document>, Position> {
    let node = json::parse(text)?;
    let mut places = DocumentPlaces::new(text);
    let mut all = FoundPolicies::default();
    all.node(&node, &mut places).map_err(|why| json::at(text, &places.path, &why))?;
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
struct FoundPolicies {
    policies: Vec<Document>,
    others: Vec<PassedOver>,
    in_list: bool,
}

impl FoundPolicies {
    fn node<'a>(
        &mut self,
        node: &'a JsonNode,
        places: &mut DocumentPlaces<'a>,
    ) -> Result<(), StopText> {
        match node {
            JsonNode::Object(members) if is_list(members) => self.pages(members, places),
            JsonNode::Object(members) => self.object(members, places),
            JsonNode::List(_) => self.list(node, places),
            JsonNode::Plain(raw) => Err(cut_or(raw, "not a JSON object; a policy is one")),
        }
    }

    /// A list as Graph answers it.
    fn pages<'a>(
        &mut self,
        members: &'a JsonMembers,
        places: &mut DocumentPlaces<'a>,
    ) -> Result<(), StopText> {
        refuse_pages(members, "value", places)?;
        pass_over_others(members, &["value"], &[], &mut self.note(), places)?;
        let Some(value) = members.get("value") else { return Ok(()) };
        places.within(PathStep::Member("value"), |places| self.list(value, places))
    }

    fn list<'a>(
        &mut self,
        node: &'a JsonNode,
        places: &mut DocumentPlaces<'a>,
    ) -> Result<(), StopText> {
        let items = items(node)?;
        // The settings end point: the settings of one policy, without it.
        if let Some((_, JsonNode::Object(members))) = items.first()
            && intune::is_setting(members)
        {
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

    fn object<'a>(
        &mut self,
        members: &'a JsonMembers,
        places: &mut DocumentPlaces<'a>,
    ) -> Result<(), StopText> {
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
fn is_list(members: &JsonMembers) -> bool {
    matches!(members.get("value"), Some(JsonNode::List(_) | JsonNode::Object(_)))
        && !members.contains_key("omaUri")
        && !members.contains_key("settingDefinitionId")
}
