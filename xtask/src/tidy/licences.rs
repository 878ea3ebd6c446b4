//! Licences and origins of everything that is linked, built with or tested with.
//!
//! The one list is `deny.toml`, which cargo-deny reads as well where it is installed; this check needs no other program.

use super::Workspace;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;

const LIST: &str = "deny.toml";
/// The only registry.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Every package has a licence of the list.
pub(super) fn licences(workspace: &Workspace) -> Result<Vec<String>> {
    let file = workspace.file(LIST).context("deny.toml is missing")?;
    let allowed = allowed(&file.text)?;
    let all = workspace.packages.iter().chain(&workspace.foreign);
    let verdicts = all.map(|package| {
        let name = format!("{} {}", package.name, package.version);
        match package.license.as_deref() {
            None => Some(format!("{name} names no licence")),
            Some(expression) => match permits(expression, &allowed) {
                Ok(true) => None,
                Ok(false) => Some(format!("{name} is under {expression}")),
                Err(error) => Some(format!("{name}: {error}")),
            },
        }
    });
    Ok(verdicts.flatten().collect())
}

/// Nothing comes from a Git address or another registry.
pub(super) fn sources(workspace: &Workspace) -> Result<Vec<String>> {
    let strange = workspace
        .foreign
        .iter()
        .filter(|package| package.source.as_deref() != Some(REGISTRY));
    Ok(strange
        .map(|package| format!("{} {} comes from {:?}", package.name, package.version, package.source))
        .collect())
}

fn allowed(text: &str) -> Result<BTreeSet<String>> {
    let table: toml::Table = text.parse().context("deny.toml is not TOML")?;
    let list = table
        .get("licenses")
        .and_then(|licenses| licenses.get("allow")?.as_array());
    let list = list.context("deny.toml has no [licenses] allow")?;
    Ok(list
        .iter()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect())
}

/// Whether an SPDX expression can be met with the licences of the list. An exception only gives more rights, so that
/// `X WITH Y` is met by X. The old spelling `X/Y` means `X OR Y`.
fn permits(expression: &str, allowed: &BTreeSet<String>) -> Result<bool> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut tokens: Vec<&str> = spaced.split_whitespace().rev().collect();
    let verdict = any_of(&mut tokens, allowed)?;
    if !tokens.is_empty() {
        bail!("licence {expression:?} cannot be read");
    }
    Ok(verdict)
}

/// Tokens are taken from the end of the list, which is the start of the expression.
fn any_of(tokens: &mut Vec<&str>, allowed: &BTreeSet<String>) -> Result<bool> {
    let mut verdict = all_of(tokens, allowed)?;
    while tokens.pop_if(|token| *token == "OR").is_some() {
        verdict |= all_of(tokens, allowed)?;
    }
    Ok(verdict)
}

fn all_of(tokens: &mut Vec<&str>, allowed: &BTreeSet<String>) -> Result<bool> {
    let mut verdict = one(tokens, allowed)?;
    while tokens.pop_if(|token| *token == "AND").is_some() {
        verdict &= one(tokens, allowed)?;
    }
    Ok(verdict)
}

fn one(tokens: &mut Vec<&str>, allowed: &BTreeSet<String>) -> Result<bool> {
    match tokens.pop() {
        Some("(") => {
            let verdict = any_of(tokens, allowed)?;
            match tokens.pop() {
                Some(")") => Ok(verdict),
                _ => bail!("a licence's parenthesis is not closed"),
            }
        }
        None | Some(")" | "AND" | "OR" | "WITH") => bail!("a licence is missing in its expression"),
        Some(name) => {
            if tokens.pop_if(|token| *token == "WITH").is_some() && tokens.pop().is_none() {
                bail!("an exception is missing in a licence's expression");
            }
            Ok(allowed.contains(name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Package;

    fn list() -> BTreeSet<String> {
        allowed("[licenses]\nallow = ['MIT', 'Apache-2.0', 'ISC']").unwrap()
    }

    #[test]
    fn expressions_are_judged() {
        for (expression, verdict) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT OR GPL-3.0-only", true),
            ("MIT AND GPL-3.0-only", false),
            ("MIT/Unlicense", true),
            ("Unlicense / AGPL-3.0", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("GPL-2.0 WITH Classpath-exception-2.0", false),
            ("ISC AND (GPL-2.0 OR ISC)", true),
            ("ISC AND (GPL-2.0 OR BUSL-1.1)", false),
            ("GPL-2.0 OR MIT AND ISC", true),
            ("(GPL-2.0 OR MIT) AND BUSL-1.1", false),
        ] {
            assert_eq!(permits(expression, &list()).unwrap(), verdict, "{expression}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for expression in ["", "MIT OR", "(MIT", "MIT)", "MIT ISC", "AND MIT", "MIT WITH"] {
            assert!(permits(expression, &list()).is_err(), "{expression}");
        }
        assert!(allowed("[licenses]").is_err());
    }

    #[test]
    fn packages_without_or_with_a_strange_licence_or_origin_are_found() {
        let mut workspace = Workspace::of_files(&[(LIST, "[licenses]\nallow = ['MIT']")]);
        let package = |name: &str, license: Option<&str>, source: &str| {
            let mut package = Package::example(name, None, &[]);
            package.license = license.map(str::to_owned);
            package.source = Some(source.to_owned());
            package
        };
        workspace.foreign = vec![
            package("good", Some("MIT"), REGISTRY),
            package("silent", None, REGISTRY),
            package("strange", Some("AGPL-3.0-only"), "git+https://example.com/strange"),
        ];
        let found = licences(&workspace).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("silent") && found[1].starts_with("strange"));
        assert_eq!(sources(&workspace).unwrap().len(), 1);
    }
}
