//! What every crate looks like from outside.

use super::{File, Workspace};
use anyhow::Result;

const SHARED_LINTS: &str = "[lints]\nworkspace = true";

/// A crate opens with the one sentence that its manifest describes it with.
pub(super) fn purpose(workspace: &Workspace) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for package in &workspace.packages {
        let folder = package.folder(&workspace.root);
        let source = ["lib.rs", "main.rs"].map(|name| format!("{folder}/src/{name}"));
        let Some(file) = source.iter().find_map(|path| workspace.file(path)) else {
            found.push(format!("{folder} has no source"));
            continue;
        };
        let described = plain(package.description.as_deref().unwrap_or_default());
        if described.is_empty() || plain(&opening(&file.text)) != described {
            found.push(format!(
                "{} does not open with the description of its manifest",
                file.path
            ));
        }
    }
    Ok(found)
}

/// The first paragraph of the `//!` comment.
fn opening(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//! "));
    lines.collect::<Vec<_>>().join(" ")
}

/// Without marks of code, which only one of the two places shows.
fn plain(text: &str) -> String {
    text.replace('`', "").trim_end_matches('.').to_owned()
}

/// Every package takes the lints of the workspace.
pub(super) fn shared_lints(workspace: &Workspace) -> Result<Vec<String>> {
    let manifests = workspace.files.iter().filter(|file| is_manifest(file));
    Ok(manifests
        .filter(|file| !file.text.contains(SHARED_LINTS))
        .map(|file| format!("{} does not take the lints of the workspace", file.path))
        .collect())
}

/// A package that is a workspace of its own, as the fuzz targets are, has no lints to take.
fn is_manifest(file: &File) -> bool {
    let lines = || file.text.lines();
    let own = || lines().any(|line| line.trim() == "[workspace]");
    file.path.ends_with("/Cargo.toml") && lines().any(|line| line == "[package]") && !own()
}

/// A crate's integration tests are one program, `tests/it`, so that they link once.
pub(super) fn test_layout(workspace: &Workspace) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for package in &workspace.packages {
        let tests = format!("{}/tests/", package.folder(&workspace.root));
        let loose = workspace
            .files
            .iter()
            .filter_map(|file| file.path.strip_prefix(&tests))
            .filter(|name| name.ends_with(".rs") && !name.contains('/'));
        found.extend(loose.map(|name| format!("{tests}{name} belongs into {tests}it/")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Package;

    fn workspace(description: &str, files: &[(&str, &str)]) -> Workspace {
        let mut workspace = Workspace::of_files(files);
        let mut package = Package::example("yulian-state", Some(1), &[]);
        package.description = Some(description.to_owned());
        workspace.packages = vec![package];
        workspace
    }

    #[test]
    fn the_opening_must_be_the_description() {
        let lib = "//! Keeps `state`, over\n//! two lines.\n//!\n//! More.\n\nmod a;\n";
        let of = |description, text| purpose(&workspace(description, &[("crates/state/src/lib.rs", text)])).unwrap();
        assert!(of("Keeps state, over two lines.", lib).is_empty());
        assert_eq!(of("Keeps something else.", lib).len(), 1);
        assert_eq!(of("", "mod a;\n").len(), 1);
        assert_eq!(
            purpose(&workspace("Keeps state.", &[])).unwrap(),
            ["crates/state has no source"]
        );
    }

    #[test]
    fn a_manifest_without_the_shared_lints_is_found() {
        let good = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n";
        let found = shared_lints(&Workspace::of_files(&[
            ("Cargo.toml", "[workspace]"),
            ("crates/a/Cargo.toml", good),
            ("crates/b/Cargo.toml", "[package]\nname = \"b\"\n"),
        ]));
        assert_eq!(found.unwrap().len(), 1);
    }

    #[test]
    fn a_loose_test_program_is_found() {
        let files = [
            ("crates/state/tests/it/main.rs", ""),
            ("crates/state/tests/more.rs", ""),
        ];
        assert_eq!(test_layout(&workspace("", &files)).unwrap().len(), 1);
    }
}
