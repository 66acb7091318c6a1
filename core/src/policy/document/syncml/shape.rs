//! A look at the tags of an XML document before anything is built of it.

use alloc::{format, string::String};

use crate::policy::document::{Position, quoted};

/// The deepest nesting of elements, and the longest tag. Both bound the parser's work, which grows
/// with depth and with the square of a tag's attributes.
const MAX_DEPTH: usize = 32;
const MAX_TAG: usize = 1024;
pub(super) const MAX_NODES: u32 = 50_000;

/// The text, with spaces in place of its XML declaration, so that every place stays.
pub(super) fn without_declaration(text: &str) -> String {
    let start = text.len().saturating_sub(text.trim_start().len());
    let Some(length) =
        text.get(start..).filter(|rest| rest.starts_with("<?xml")).and_then(|rest| rest.find("?>"))
    else {
        return text.into();
    };
    let end = start.saturating_add(length).saturating_add(2);
    let blank = |letter: char| if letter == '\n' { '\n' } else { ' ' };
    let (declaration, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    declaration.chars().map(blank).chain(rest.chars()).collect()
}

/// Looks at the tags alone, before anything is built: no document type, bounded depth and tags.
/// Gives the number of top-level elements.
pub(super) fn check_shape(text: &str) -> Result<usize, Position> {
    let mut depth = 0_usize;
    let mut roots = 0_usize;
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
            if depth == 0 {
                roots = roots.saturating_add(1);
            }
            if rest.get(..end).is_some_and(|tag| !tag.ends_with("/>")) {
                depth = depth.saturating_add(1);
            }
            Some(end)
        };
        if depth > MAX_DEPTH {
            return Err(refuse("elements nested over 32 deep"));
        }
        // What is not closed is for the parser to report.
        let Some(end) = end else { return Ok(roots) };
        at = at.saturating_add(end);
    }
    Ok(roots)
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
