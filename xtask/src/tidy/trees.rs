//! What the layers without IO may not even be linked with.

use super::{Workspace, workspace::cargo};
use anyhow::Result;

/// Runtimes, sockets and random sources: with none of them in its tree, a crate cannot reach them by accident.
const FORBIDDEN: [&str; 7] = ["async-std", "getrandom", "hyper", "mio", "smol", "socket2", "tokio"];

/// No layer without IO links a runtime or a random source. Each crate is looked at alone, with all its features:
/// what another member of the workspace switches on is not its doing.
pub(super) fn quiet(workspace: &Workspace) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for package in workspace.domain() {
        let arguments = ["tree", "--locked", "--package", &package.name, "--all-features"];
        let tree = cargo(&[&arguments[..], &["--edges", "normal", "--prefix", "none"]].concat())?;
        found.extend(forbidden(&tree).map(|foreign| format!("{} is linked with {foreign}", package.name)));
    }
    Ok(found)
}

/// Which of the forbidden a tree holds; a line of a tree begins with a package's name.
fn forbidden(tree: &str) -> impl Iterator<Item = &'static str> {
    FORBIDDEN
        .into_iter()
        .filter(|name| tree.lines().any(|line| line.split_whitespace().next() == Some(*name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_in_a_tree_is_found_and_a_similar_name_is_not() {
        let tree = "yulian-api v0.1.0\naxum v0.8.1\ntokio v1.50.0 (*)\ntokio-macros v2.0.0\nrand_core v0.10.0\n";
        assert_eq!(forbidden(tree).collect::<Vec<_>>(), ["tokio"]);
        assert_eq!(forbidden("yulian-state v0.1.0\ntokio-macros v2.0.0\n").count(), 0);
    }

    #[test]
    fn cargo_describes_the_tree_that_is_judged() {
        let tree = cargo(&[
            "tree",
            "--locked",
            "--package",
            "yulian-types",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .unwrap();
        assert!(
            tree.starts_with("yulian-types ") && tree.contains("\nyulian-crypto "),
            "{tree}"
        );
    }
}
