//! Calls that the layers without IO may not make, enforced by clippy from a file in each crate.
//!
//! A crate's `clippy.toml` replaces the one of the root, so each must hold the whole common list.

use super::{Workspace, short};
use anyhow::{Context, Result};
use std::collections::BTreeSet;

/// No clock, thread, process, environment, file or socket. A ban of a type covers its functions.
const COMMON: &[&str] = &[
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "std::thread::spawn",
    "std::env::var",
    "std::process::Command::new",
    "std::fs::File::open",
    "std::fs::File::create",
    "std::fs::OpenOptions::open",
    "std::fs::create_dir_all",
    "std::fs::read",
    "std::fs::read_to_string",
    "std::fs::remove_file",
    "std::fs::rename",
    "std::fs::write",
    "std::net::TcpListener::bind",
    "std::net::TcpStream::connect",
    "std::net::UdpSocket::bind",
];

/// Where results decide a state root, nothing may depend on the order of a hash table either.
const ORDERED: &[&str] = &["exec", "light", "modules", "state", "types"];
const ORDER: &[&str] = &[
    "std::collections::HashMap::iter",
    "std::collections::HashMap::iter_mut",
    "std::collections::HashMap::keys",
    "std::collections::HashMap::values",
    "std::collections::HashMap::values_mut",
    "std::collections::HashMap::drain",
    "std::collections::HashMap::into_keys",
    "std::collections::HashMap::into_values",
    "std::collections::HashSet::iter",
    "std::collections::HashSet::drain",
];

/// Every crate of the layers without IO has a `clippy.toml` with the common list.
pub(super) fn clippy_bans(workspace: &Workspace) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for package in workspace.domain() {
        let path = format!("{}/clippy.toml", package.folder(&workspace.root));
        let Some(file) = workspace.file(&path) else {
            found.push(format!("{path} is missing"));
            continue;
        };
        let ordered = ORDERED.contains(&short(&package.name));
        let missing = missing(&file.text, ordered).with_context(|| path.clone())?;
        found.extend(missing.into_iter().map(|call| format!("{path} does not ban {call}")));
    }
    Ok(found)
}

fn missing(text: &str, ordered: bool) -> Result<Vec<&'static str>> {
    let configuration = text.parse().context("not TOML")?;
    let banned = banned(&configuration);
    let order = if ordered { ORDER } else { &[] };
    let required = COMMON.iter().chain(order).copied();
    Ok(required.filter(|call| !is_banned(&banned, call)).collect())
}

fn banned(configuration: &toml::Table) -> BTreeSet<&str> {
    ["disallowed-methods", "disallowed-types"]
        .into_iter()
        .filter_map(|list| configuration.get(list)?.as_array())
        .flatten()
        .filter_map(|entry| entry.as_str().or_else(|| entry.get("path")?.as_str()))
        .collect()
}

fn is_banned(banned: &BTreeSet<&str>, call: &str) -> bool {
    let of_type = call.rsplit_once("::").map(|(path, _)| path);
    banned.contains(call) || of_type.is_some_and(|path| banned.contains(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Package;

    #[test]
    fn what_is_not_banned_is_found() {
        assert_eq!(missing("", false).unwrap(), COMMON);
        let text = r#"
            disallowed-methods = ["std::env::var", { path = "std::fs::read", reason = "why" }]
            disallowed-types = [{ path = "std::net::TcpStream" }]
        "#;
        let missing = missing(text, true).unwrap();
        assert_eq!(missing.len(), COMMON.len() - 3 + ORDER.len());
        assert!(!missing.contains(&"std::net::TcpStream::connect"));
        assert!(missing.contains(&"std::fs::read_to_string"));
        assert!(super::missing("= nonsense", false).is_err());
    }

    #[test]
    fn a_crate_without_the_file_is_found() {
        let mut workspace = Workspace::of_files(&[]);
        workspace.packages = vec![
            Package::example("yulian-state", Some(1), &[]),
            Package::example("yulian-node", Some(4), &[]),
        ];
        assert_eq!(
            clippy_bans(&workspace).unwrap(),
            ["crates/state/clippy.toml is missing"]
        );
    }
}
