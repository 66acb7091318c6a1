//! What `csharp/Laps.cs` says of the header: its enumerations and native calls, made from the
//! header between two marks.

use core::fmt::Write as _;

use super::screaming;

const BEGIN: &str = "    // ---- made from laps.h by tests/header.rs: do not edit\n";
const END: &str = "    // ---- end of what is made from laps.h\n";

/// The file with what lies between its marks made anew.
pub(crate) fn renew(file: &str, header: &str) -> String {
    let (before, rest) = file.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    format!("{before}{BEGIN}{}{}{END}{after}", enumerations(header), calls(header))
}

/// `BUFFER_TOO_SMALL` or `reader_set` as `BufferTooSmall` or `ReaderSet`.
fn pascal(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_uppercase() + &rest.to_lowercase()
        })
        .collect()
}

fn enumerations(header: &str) -> String {
    let mut groups: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut add = |name: &str, number: &str| {
        let Some((group, name)) = name.split_once('_') else { return };
        if ["VERSION", "PASSWORD"].contains(&group) || number.parse::<u32>().is_err() {
            return;
        }
        if groups.iter().all(|(known, _)| known != group) {
            groups.push((group.to_owned(), Vec::new()));
        }
        let members = &mut groups.iter_mut().find(|(known, _)| known == group).unwrap().1;
        members.push((pascal(name), number.to_owned()));
    };
    for line in header.lines() {
        if let Some(define) = line.strip_prefix("#define LAPS_") {
            if let Some((name, number)) = define.split_once(' ') {
                add(name, number);
            }
        } else if let Some(status) = line.strip_prefix("    LAPS_STATUS_") {
            let (name, number) = status.split_once(" = ").unwrap();
            add(&format!("STATUS_{name}"), number.split(',').next().unwrap());
        }
    }
    let mut text = structures(header);
    for (group, members) in groups {
        // `Action` is a type of the framework that everybody uses.
        let name = match group.as_str() {
            "WISH" | "ACTION" | "STATE" => format!("Rotation{}", pascal(&group)),
            _ => pascal(&group),
        };
        writeln!(text, "    /// <summary>LAPS_{group}_* of laps.h.</summary>").unwrap();
        writeln!(text, "    public enum {name} {{").unwrap();
        for (member, number) in members {
            // A name may not begin with a digit.
            let member = if member.starts_with(|c: char| c.is_ascii_digit()) {
                format!("X{member}")
            } else {
                member
            };
            writeln!(text, "        {member} = {number},").unwrap();
        }
        text.push_str("    }\n\n");
    }
    text
}

/// Structures: of numbers, such as `laps_stats`, or of functions.
fn structures(header: &str) -> String {
    let mut text = String::new();
    let mut fields = None;
    for line in header.lines() {
        if line == "typedef struct {" {
            fields = Some(Vec::new());
        } else if let Some(name) = line.strip_prefix("} laps_") {
            let name = pascal(name.trim_end_matches(';'));
            let fields: Vec<(String, String)> = fields.take().unwrap_or_default();
            let numbers = fields.iter().all(|(kind, _)| kind == "ulong");
            // Users have a class for what is more than numbers.
            let seen = if numbers { "public" } else { "internal" };
            let name = if numbers { name } else { format!("Native{name}") };
            writeln!(text, "    /// <summary>The structure of laps.h.</summary>").unwrap();
            writeln!(
                text,
                "    [StructLayout(LayoutKind.Sequential)]\n    {seen} struct {name} {{"
            )
            .unwrap();
            for (kind, field) in fields {
                writeln!(text, "        public {kind} {field};").unwrap();
            }
            text.push_str("    }\n\n");
        } else if let Some(fields) = &mut fields
            && !line.trim_start().starts_with(['/', '*'])
        {
            let (kind, field) = line.trim().split_once(' ').unwrap();
            // A function that is called back: a delegate of the same name.
            let kind = kind.strip_prefix("laps_").map_or_else(|| number(kind).to_owned(), pascal);
            fields.push((kind, pascal(field.trim_end_matches(';'))));
        }
    }
    text
}

fn calls(header: &str) -> String {
    let mut text = String::from(
        "    internal static class Native {\n        const string Library = \"laps\";\n\n",
    );
    let (mut full, mut was_full, mut comment) = (false, false, false);
    let mut declaration = String::new();
    for line in header.lines() {
        match line {
            "#if defined(LAPS_FULL)" => full = true,
            "#endif" => full = false,
            _ => {}
        }
        comment |= line.starts_with("/*");
        if comment {
            comment = !line.ends_with("*/");
            continue;
        }
        if !line.starts_with("LAPS_API") && declaration.is_empty() {
            continue;
        }
        declaration.push_str(line);
        declaration.push(' ');
        if !line.ends_with(';') {
            continue;
        }
        if full != was_full {
            text.push_str(if full { "#if !LAPS_AGENT\n" } else { "#endif\n" });
            was_full = full;
        }
        call(&mut text, &declaration);
        declaration.clear();
    }
    if was_full {
        text.push_str("#endif\n");
    }
    text.push_str("    }\n\n");
    text
}

fn call(text: &mut String, declaration: &str) {
    let words = declaration.replace("LAPS_API", "").replace("LAPS_NODISCARD", "");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let (start, parameters) = words.trim_end_matches(';').split_once('(').unwrap();
    let at = start
        .find("laps_")
        .filter(|_| !start.starts_with("const laps_") && !start.starts_with("laps_status"));
    let at = at.unwrap_or_else(|| start.rfind("laps_").unwrap());
    let (result, name) = start.split_at(at);
    let (attribute, result) = match result.trim() {
        "void" => ("", "void"),
        "bool" => ("[return: MarshalAs(UnmanagedType.I1)] ", "bool"),
        result if result.ends_with('*') => ("", "IntPtr"),
        result => ("", number(result)),
    };
    let parameters = parameters.trim_end_matches(')');
    let parameters = if parameters == "void" {
        String::new()
    } else {
        let each = parameters.split(", ").map(|parameter| argument(name, parameter));
        each.collect::<Vec<_>>().join(", ")
    };
    text.push_str(
        "        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, \
         ExactSpelling = true)]\n",
    );
    writeln!(text, "        {attribute}internal static extern {result} {name}({parameters});")
        .unwrap();
}

fn number(kind: &str) -> &'static str {
    match kind {
        "laps_status" | "int32_t" => "int",
        "uint8_t" => "byte",
        "uint16_t" => "ushort",
        "uint32_t" => "uint",
        "uint64_t" => "ulong",
        "size_t" => "UIntPtr",
        other => panic!("{other} has no type in C#"),
    }
}

fn argument(function: &str, parameter: &str) -> String {
    let (kind, name) = parameter.rsplit_once([' ', '*']).unwrap();
    let kind = parameter.strip_suffix(name).unwrap_or(kind).trim();
    let stars = kind.matches('*').count();
    let base = kind.replace("const", "").replace('*', "").trim().to_owned();
    let object = base.strip_prefix("laps_").map(pascal);
    match (object, stars, base.as_str()) {
        (Some(_), 1, _) if function.ends_with("_free") => format!("IntPtr {name}"),
        (Some(object), 1, _) if name.starts_with("out_") => format!("out {object} {name}"),
        // A structure of functions, not an object.
        (Some(object), 1, base) if base.ends_with("_calls") => {
            format!("[In] ref Native{object} {name}")
        }
        (Some(object), 1, _) => format!("{object} {name}"),
        // A function that is called back: a delegate of the same name.
        (Some(delegate), 0, _) => format!("{delegate} {name}"),
        (Some(_), 2, _) if kind.starts_with("const") => format!("IntPtr[] {name}"),
        (Some(_), 2, _) => format!("out IntPtr {name}"),
        (None, 1, "void" | "uint16_t") => format!("IntPtr {name}"),
        (None, 1, "char" | "uint8_t") => {
            // Arrays of bytes are pinned for the call, not copied.
            format!("{}byte[] {name}", if kind.starts_with("const") { "" } else { "[Out] " })
        }
        (None, 1, base) => format!("out {} {name}", number(base)),
        (None, 0, "bool") => format!("[MarshalAs(UnmanagedType.I1)] bool {name}"),
        (None, 0, base) => format!("{} {name}", number(base)),
        _ => panic!("{function}: {parameter} has no type in C#"),
    }
    .replace(" string", " @string")
    .replace(" event", " @event")
}

/// Every type of the header has its class.
pub(crate) fn classes_are_missing(file: &str, header: &str) -> Vec<String> {
    let types = header.lines().filter_map(|line| line.strip_prefix("typedef struct laps_"));
    types
        .map(|line| pascal(line.split(' ').next().unwrap()))
        .filter(|class| !file.contains(&format!("sealed class {class} : LapsObject")))
        .collect()
}

/// Every call is used: a native call that no wrapper makes is one that a user in C# does not have.
pub(crate) fn calls_are_missing(file: &str, symbols: &[String]) -> Vec<String> {
    let used = |name: &&String| file.matches(&format!("Native.{name}(")).count() > 0;
    symbols.iter().filter(|name| !used(name)).cloned().collect()
}

#[test]
fn names_are_those_of_c_sharp() {
    assert_eq!(pascal("BUFFER_TOO_SMALL"), "BufferTooSmall");
    assert_eq!(pascal("reader_set"), "ReaderSet");
    assert_eq!(screaming("BufferTooSmall"), "BUFFER_TOO_SMALL");
}
