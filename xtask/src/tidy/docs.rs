//! Documents that must not fall behind.

use super::{File, Workspace, short};
use anyhow::{Context, Result};

const ARCHITECTURE: &str = "docs/architecture.md";
const README: &str = "README.md";
/// What a newcomer types first.
const FIRST_COMMANDS: [&str; 2] = ["make run", "make test"];
/// The commands stand within so many lines from the top.
const FIRST_LINES: usize = 20;

/// Every link to a file of the repository leads to one.
pub(super) fn links(workspace: &Workspace) -> Result<Vec<String>> {
    let pages = workspace.files.iter().filter(|file| file.path.ends_with(".md"));
    let mut found = Vec::new();
    for file in pages {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for target in targets(file) {
            let known = resolve(folder, target).is_some_and(|path| exists(workspace, &path));
            if !known {
                found.push(format!("{} links to {target}, which is not there", file.path));
            }
        }
    }
    Ok(found)
}

/// Targets of links `[text](target)` outside code blocks, without the part after `#`; addresses are left out.
fn targets(file: &File) -> impl Iterator<Item = &str> {
    let mut code = false;
    let prose = file.text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    });
    prose
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains(':'))
}

/// A path from the root; none where it leads out of the repository.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn exists(workspace: &Workspace, path: &str) -> bool {
    // Files that are not text are not in the list, folders neither.
    workspace.file(path).is_some() || workspace.root.join(path).exists()
}

/// Every crate has its line in the code map, with the layer that its manifest declares.
pub(super) fn code_map(workspace: &Workspace) -> Result<Vec<String>> {
    let file = workspace
        .file(ARCHITECTURE)
        .context("docs/architecture.md is missing")?;
    let crates = workspace
        .packages
        .iter()
        .filter_map(|package| Some((short(&package.name), package.layer()?)));
    Ok(crates
        .filter(|(name, layer)| !file.text.contains(&format!("\n### `{name}` · L{layer}\n")))
        .map(|(name, layer)| format!("{ARCHITECTURE} has no section \"### `{name}` · L{layer}\""))
        .collect())
}

/// The README opens with the two commands, as code.
pub(super) fn readme(workspace: &Workspace) -> Result<Vec<String>> {
    let file = workspace.file(README).context("README.md is missing")?;
    let top: Vec<&str> = file.text.lines().take(FIRST_LINES).collect();
    let missing = FIRST_COMMANDS
        .iter()
        .filter(|command| !top.iter().any(|line| line.starts_with(*command)));
    Ok(missing
        .map(|command| format!("{README} does not show `{command}` in its first {FIRST_LINES} lines"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Package;

    #[test]
    fn dead_links_are_found() {
        let page = "[a](b.md) [c](../README.md#top) [d](https://example.com) [e](#here)\n```\n[f](no.md)\n```\n[g](gone.md)\n[h](../../x)";
        let found = links(&Workspace::of_files(&[
            ("docs/a.md", page),
            ("docs/b.md", ""),
            ("README.md", ""),
        ]))
        .unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("gone.md") && found[1].contains("../../x"));
    }

    #[test]
    fn a_crate_that_the_map_lacks_or_misplaces_is_found() {
        let mut workspace = Workspace::of_files(&[(ARCHITECTURE, "\n### `state` · L1\n\n### `node` · L3\n")]);
        workspace.packages = vec![
            Package::example("yulian-state", Some(1), &[]),
            Package::example("yulian-node", Some(4), &[]),
            Package::example("yulian-light", Some(1), &[]),
            Package::example("xtask", None, &[]),
        ];
        assert_eq!(code_map(&workspace).unwrap().len(), 2);
    }

    #[test]
    fn a_readme_that_hides_the_commands_is_found() {
        let of = |text: &str| readme(&Workspace::of_files(&[(README, text)])).unwrap().len();
        assert_eq!(of("# 豫链\n\n```\nmake run\nmake test   # all\n```\n"), 0);
        assert_eq!(of("# 豫链\n\nRun `make run`.\n"), 2);
        assert_eq!(of(&format!("{}make run\nmake test\n", "\n".repeat(FIRST_LINES))), 2);
    }
}
