//! The rules of the workspace, applied to it. `cargo run -p xtask -- tidy` shows the same findings.

use std::{collections::BTreeSet, sync::OnceLock};
use xtask::{
    generate,
    tidy::{RULES, Workspace},
};

fn workspace() -> &'static Workspace {
    static WORKSPACE: OnceLock<Workspace> = OnceLock::new();
    WORKSPACE.get_or_init(|| Workspace::load().expect("cargo and the files of the workspace can be read"))
}

fn holds(name: &str) {
    let (_, rule) = RULES
        .iter()
        .find(|(known, _)| *known == name)
        .expect("a rule of this name");
    let found = rule(workspace()).expect("the rule can look at the workspace");
    assert!(found.is_empty(), "{name}:\n{}", found.join("\n"));
}

/// A test for each rule, and one that none is forgotten.
macro_rules! rules {
    ($($test:ident = $name:literal,)*) => {
        $(#[test] fn $test() { holds($name); })*

        #[test]
        fn every_rule_is_applied() {
            let applied = BTreeSet::from([$($name),*]);
            assert_eq!(applied, RULES.iter().map(|(name, _)| *name).collect());
        }
    };
}

rules! {
    dependencies_go_down = "layers",
    only_the_engine_knows_the_consensus_library = "engine-library",
    domain_links_no_runtime_and_no_random_source = "quiet-trees",
    domain_bans_clock_files_and_sockets = "clippy-bans",
    licences_are_of_the_list = "licences",
    packages_come_from_the_registry = "sources",
    crates_open_with_their_description = "purpose",
    packages_share_lints = "shared-lints",
    integration_tests_are_one_program = "test-layout",
    nothing_is_left_unfinished = "unfinished",
    no_exception_for_unsafe_code = "unsafe",
    no_floats_where_roots_are_made = "floats",
    files_are_short = "long-files",
    no_path_of_one_machine = "machine-paths",
    links_lead_somewhere = "links",
    the_code_map_is_complete = "code-map",
    the_readme_opens_with_its_commands = "readme",
}

#[test]
fn the_workspace_was_read() {
    let workspace = workspace();
    assert!(workspace.packages.len() > 5 && workspace.foreign.len() > 50);
    assert!(workspace.file("Cargo.toml").is_some() && workspace.file("xtask/tests/it/main.rs").is_some());
    assert!(workspace.domain().count() > 3);
}

#[test]
fn committed_protobuf_code_is_current() {
    generate::check_proto().unwrap();
}
