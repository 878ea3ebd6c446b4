//! Dependencies go down, and only one crate knows the consensus library.

use super::{Package, Workspace, short};
use anyhow::Result;
use std::collections::BTreeMap;

/// Layers up to this one do no IO and are deterministic.
pub(super) const DOMAIN_LAYER_MAX: u8 = 2;
/// The edges inside a layer that are part of the design: from, to.
const SIDEWAYS: [(&str, &str); 4] = [
    ("types", "crypto"),
    ("light", "state"),
    ("modules", "exec"),
    ("vm", "exec"),
];
/// Every part of the consensus library is named like this.
const ENGINE_LIBRARY: &str = "commonware";
const ENGINE: &str = "engine";
/// Where the library's name may stand: the crate itself, this rule, the one list of versions.
const ENGINE_LIBRARY_ALLOWED: [&str; 3] = ["crates/engine/", "xtask/src/tidy/", "Cargo.toml"];

/// A package depends on lower layers, and on its own layer only where the design says so; for tests as well.
pub(super) fn edges(workspace: &Workspace) -> Result<Vec<String>> {
    Ok(judge(&workspace.packages))
}

fn judge(packages: &[Package]) -> Vec<String> {
    let ours: BTreeMap<&str, &Package> = packages
        .iter()
        .map(|package| (package.name.as_str(), package))
        .collect();
    let mut found = Vec::new();
    for package in packages {
        let from = short(&package.name);
        let layer = package.layer();
        if layer.is_none() && from != package.name {
            found.push(format!("{from} declares no layer: [package.metadata] layer = N"));
        }
        let mut targets: Vec<_> = package.dependencies.iter().map(|dependency| &dependency.name).collect();
        targets.sort_unstable();
        targets.dedup();
        for target in targets {
            let Some(target) = ours.get(target.as_str()) else {
                continue;
            };
            // A package may name itself to switch its own features on for its tests.
            let itself = target.name == package.name;
            if let (Some(layer), Some(below), false) = (layer, target.layer(), itself) {
                let to = short(&target.name);
                if below > layer || (below == layer && !SIDEWAYS.contains(&(from, to))) {
                    found.push(format!("{from} (layer {layer}) depends on {to} (layer {below})"));
                }
            }
            if layer.is_some() && target.layer().is_none() {
                found.push(format!(
                    "{from} depends on {}, which is no part of the product",
                    target.name
                ));
            }
        }
    }
    found
}

/// Only `engine` depends on the consensus library or names it.
pub(super) fn engine_library(workspace: &Workspace) -> Result<Vec<String>> {
    let dependants = workspace
        .packages
        .iter()
        .filter(|package| short(&package.name) != ENGINE)
        .filter(|package| {
            package
                .dependencies
                .iter()
                .any(|dependency| dependency.name.starts_with(ENGINE_LIBRARY))
        })
        .map(|package| format!("{} depends on the consensus library", package.name));
    let namers = workspace
        .files
        .iter()
        .filter(|file| file.path.ends_with(".rs") || file.path.ends_with(".toml"))
        .filter(|file| {
            !ENGINE_LIBRARY_ALLOWED
                .iter()
                .any(|allowed| file.path.starts_with(allowed))
        })
        .filter(|file| file.text.contains(ENGINE_LIBRARY))
        .map(|file| format!("{} names the consensus library", file.path));
    Ok(dependants.chain(namers).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(packages: &[(&str, Option<u8>, &[&str])]) -> Vec<String> {
        let packages: Vec<_> = packages
            .iter()
            .map(|(name, layer, dependencies)| Package::example(name, *layer, dependencies))
            .collect();
        judge(&packages)
    }

    #[test]
    fn down_and_the_drawn_sideways_edges_pass() {
        assert!(
            found(&[
                ("yulian-crypto", Some(0), &["sm2"]),
                ("yulian-types", Some(0), &["yulian-crypto", "yulian-types"]),
                ("yulian-state", Some(1), &["yulian-crypto"]),
                ("yulian-light", Some(1), &["yulian-state", "yulian-types"]),
                ("xtask", None, &["yulian-light"]),
            ])
            .is_empty()
        );
    }

    #[test]
    fn up_and_other_sideways_edges_are_found() {
        let found = found(&[
            ("yulian-crypto", Some(0), &["yulian-types"]),
            ("yulian-types", Some(0), &["yulian-state"]),
            ("yulian-state", Some(1), &["yulian-light"]),
            ("yulian-light", Some(1), &[]),
        ]);
        assert_eq!(
            found,
            [
                "crypto (layer 0) depends on types (layer 0)",
                "types (layer 0) depends on state (layer 1)",
                "state (layer 1) depends on light (layer 1)",
            ]
        );
    }

    #[test]
    fn a_missing_layer_and_a_development_tool_in_the_product_are_found() {
        let found = found(&[
            ("yulian-node", None, &[]),
            ("yulian-cli", Some(5), &["xtask"]),
            ("xtask", None, &[]),
        ]);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn the_library_outside_the_engine_is_found() {
        let mut workspace = Workspace::of_files(&[
            ("crates/engine/src/lib.rs", "use commonware_p2p;"),
            ("crates/node/src/lib.rs", "use commonware_p2p;"),
            ("Cargo.toml", "commonware-p2p = \"1\""),
            ("docs/architecture.md", "commonware"),
        ]);
        workspace.packages = vec![
            Package::example("yulian-engine", Some(3), &["commonware-p2p"]),
            Package::example("yulian-sim", Some(5), &["commonware-runtime"]),
        ];
        let found = engine_library(&workspace).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("yulian-sim ") && found[1].starts_with("crates/node/src/lib.rs "));
    }
}
