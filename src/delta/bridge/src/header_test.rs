// SPDX-License-Identifier: Apache-2.0
//! Keeps `pilake_bridge.h` true: makes it from `ffi.rs` and compares. `PILAKE_WRITE_HEADER=1` in
//! the environment of the test writes it. Understands just the Rust that `ffi.rs` is written in.

const PREAMBLE: &str = "\
// SPDX-License-Identifier: Apache-2.0
// The C ABI of the Rust bridge. Made from bridge/src/ffi.rs, whose head tells the rules; a test of
// the bridge compares the two (PILAKE_WRITE_HEADER=1 cargo test --release header).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern \"C\" {
#endif

struct ArrowArray;
struct ArrowSchema;
";

const END: &str = "
#ifdef __cplusplus
}  // extern \"C\"
#endif
";

#[test]
fn the_header_is_what_ffi_exports() {
    let made = make_header(&[
        include_str!("error.rs"),
        include_str!("hindrance.rs"),
        include_str!("ffi.rs"),
    ]);
    // Not as it was compiled: another checkout may have done that.
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
    let header = std::path::Path::new(&folder).join("pilake_bridge.h");
    if std::env::var_os("PILAKE_WRITE_HEADER").is_some() {
        std::fs::write(&header, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&header);
    assert_eq!(committed.unwrap(), made, "write it anew with PILAKE_WRITE_HEADER=1");
}

fn make_header(sources: &[&str]) -> String {
    let exported =
        sources.iter().map(|source| source.split("// Across the border").next().unwrap());
    let mut header = PREAMBLE.to_string();
    let mut docs = String::new();
    let mut is_plain_data = false;
    for item in exported.flat_map(items) {
        if item.starts_with("///") {
            docs.push_str(&item.replacen("///", "//", 1));
            docs.push('\n');
            continue;
        }
        if item.starts_with("#[") {
            is_plain_data |= item.starts_with("#[repr(");
            continue;
        }
        if let Some(text) = declaration(&item, is_plain_data) {
            header.push_str(&format!("\n{docs}{text}\n"));
        }
        docs.clear();
        is_plain_data = false;
    }
    header + END
}

/// Doc lines, attributes, and what begins with `pub` up to its `;` or closing brace, one line each.
fn items(source: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("///") || line.starts_with("#[") {
            items.push(line.to_string());
        } else if line.starts_with("pub ") {
            let mut item = line.to_string();
            let is_function = line.contains(" fn ") && !line.starts_with("pub type");
            let is_over = |item: &str| {
                item.ends_with(';') || item.ends_with('}') || (is_function && item.ends_with('{'))
            };
            while !is_over(&item) {
                let next = lines.next().unwrap();
                if !next.trim().starts_with("///") {
                    item.push(' ');
                    item.push_str(next.trim());
                }
            }
            items.push(item);
        } else {
            items.push(String::new());
        }
    }
    items
}

fn declaration(item: &str, is_plain_data: bool) -> Option<String> {
    if let Some(rest) = item.strip_prefix("pub enum ") {
        let (name, values) = body(rest);
        let values = values.map(|value| format!("  {name}_{value},\n"));
        let values: String = values.collect();
        return Some(format!("typedef enum {name} {{\n{values}}} {name};"));
    }
    if let Some(rest) = item.strip_prefix("pub struct ") {
        let name = rest.split([' ', '(']).next().filter(|name| name.starts_with("Pilake"))?;
        if !is_plain_data {
            return Some(format!("typedef struct {name} {name};"));
        }
        let fields: String = body(rest).1.map(|one| format!("  {};\n", variable(one))).collect();
        return Some(format!("typedef struct {name} {{\n{fields}}} {name};"));
    }
    let safe = item.strip_prefix("pub extern \"C\" fn ");
    if let Some(rest) = item.strip_prefix("pub unsafe extern \"C\" fn ").or(safe) {
        let (name, signature) = rest.split_once('(')?;
        return Some(function(name, signature));
    }
    if let Some((name, signature)) =
        item.strip_prefix("pub type ")?.split_once(" = extern \"C\" fn(")
    {
        return Some(format!("typedef {}", function(&format!("(*{name})"), signature)));
    }
    None
}

/// The name before the braces and what stands between them, split at commas.
fn body(item: &str) -> (&str, impl Iterator<Item = &str>) {
    let (name, rest) = item.split_once('{').unwrap();
    let members = rest.trim_end_matches('}').split(',').map(str::trim);
    (name.trim(), members.filter(|member| !member.is_empty()))
}

fn function(name: &str, signature: &str) -> String {
    let (arguments, result) = signature.split_once(')').unwrap();
    let result = result.trim_matches([' ', '{', ';', '-', '>']);
    let arguments = arguments.split(',').map(str::trim).filter(|one| !one.is_empty());
    let arguments: Vec<String> = arguments.map(variable).collect();
    let result = if result.is_empty() { "void ".to_string() } else { c_type(result) };
    format!("{result}{name}({});", arguments.join(", "))
}

fn variable(text: &str) -> String {
    let (name, kind) = text.trim_start_matches("pub ").split_once(": ").unwrap();
    format!("{}{name}", c_type(kind))
}

/// The type with what separates it from a name.
fn c_type(kind: &str) -> String {
    if let Some(inner) = kind.strip_prefix("*const ") {
        return format!("const {}*", c_type(inner));
    }
    if let Some(inner) = kind.strip_prefix("*mut ") {
        return format!("{}*", c_type(inner));
    }
    let plain = match kind {
        "u8" => "uint8_t",
        "i32" => "int32_t",
        "i64" => "int64_t",
        "usize" => "size_t",
        "c_void" => "void",
        "FFI_ArrowArray" => "struct ArrowArray",
        "FFI_ArrowSchema" => "struct ArrowSchema",
        other => other,
    };
    format!("{plain} ")
}
