//! What may not stand in a source file.

use super::{File, Workspace};
use anyhow::Result;

/// A longer file has more than one purpose.
const LINES_MAX: usize = 1200;
const SOURCES: [&str; 8] = [".rs", ".proto", ".py", ".sh", ".ts", ".tsx", ".js", ".sol"];

/// Work left for later and tests that do not count. Put together from parts, so that this file passes.
const UNFINISHED: [&str; 6] = [
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("#[ig", "nore"),
    concat!("#[should_", "panic"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
];
const UNSAFE: [&str; 2] = [concat!("allow(unsafe", "_code"), concat!("expect(unsafe", "_code")];

/// Where results must be the same on every machine.
const WITHOUT_FLOATS: [&str; 5] = [
    "crates/types/src/",
    "crates/state/src/",
    "crates/light/src/",
    "crates/exec/src/",
    "crates/modules/src/",
];
const FLOATS: [&str; 2] = [concat!("f", "32"), concat!("f", "64")];

/// First parts of paths that exist on one machine only: homes and the folders that build machines check out into.
const MACHINE_FOLDERS: [&str; 7] = ["home", "Users", "root", "work", "workspace", "builds", "farm"];

/// Nothing is left to be done later, no test is switched off or hopes for a panic.
pub(super) fn unfinished(workspace: &Workspace) -> Result<Vec<String>> {
    Ok(lines_with(sources(workspace), &UNFINISHED))
}

/// The only place of unsafe code: the processor's vector instructions, their detection, loads and stores.
const UNSAFE_ALLOWED: [&str; 2] = ["crates/crypto/src/simd.rs", "crates/crypto/src/simd/"];

/// The ban of unsafe code has one exception.
pub(super) fn unsafe_code(workspace: &Workspace) -> Result<Vec<String>> {
    let bound = sources(workspace).filter(|file| !UNSAFE_ALLOWED.iter().any(|place| file.path.starts_with(place)));
    Ok(lines_with(bound, &UNSAFE))
}

/// No floating-point numbers where a state root or a verdict is computed.
pub(super) fn floats(workspace: &Workspace) -> Result<Vec<String>> {
    let bound = sources(workspace).filter(|file| WITHOUT_FLOATS.iter().any(|folder| file.path.starts_with(folder)));
    let mut found = Vec::new();
    for (file, number, line) in bound.flat_map(lines) {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        if words.any(|word| FLOATS.iter().any(|float| word.ends_with(float))) {
            found.push(format!("{}:{number} {}", file.path, line.trim()));
        }
    }
    Ok(found)
}

/// No source file is longer than [`LINES_MAX`] lines. Generated code is as long as what it is made from, which is checked.
pub(super) fn long_files(workspace: &Workspace) -> Result<Vec<String>> {
    let long = sources(workspace).filter(|file| file.text.lines().count() > LINES_MAX);
    Ok(long
        .filter(|file| !file.path.ends_with("/generated.rs"))
        .map(|file| format!("{} has more than {LINES_MAX} lines", file.path))
        .collect())
}

/// No file of any kind holds a path that exists only on the machine of whoever wrote it.
pub(super) fn machine_paths(workspace: &Workspace) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (file, number, line) in workspace.files.iter().flat_map(lines) {
        if has_machine_path(line) {
            found.push(format!("{}:{number} {}", file.path, line.trim()));
        }
    }
    Ok(found)
}

fn has_machine_path(line: &str) -> bool {
    MACHINE_FOLDERS.iter().any(|folder| {
        let path = format!("/{folder}/");
        line.match_indices(&path).any(|(at, _)| starts_a_path(&line[..at]))
    })
}

/// Whether what stands before a slash leaves it the first of a path: not of an address or of a relative path.
fn starts_a_path(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || "_-./)}>*~$".contains(c))
}

fn sources(workspace: &Workspace) -> impl Iterator<Item = &File> {
    workspace
        .files
        .iter()
        .filter(|file| SOURCES.iter().any(|ending| file.path.ends_with(ending)))
}

fn lines(file: &File) -> impl Iterator<Item = (&File, usize, &str)> {
    file.text
        .lines()
        .enumerate()
        .map(move |(index, line)| (file, index + 1, line))
}

fn lines_with<'a>(files: impl Iterator<Item = &'a File>, patterns: &[&str]) -> Vec<String> {
    files
        .flat_map(lines)
        .filter(|(_, _, line)| patterns.iter().any(|pattern| line.contains(pattern)))
        .map(|(file, number, line)| format!("{}:{number} {}", file.path, line.trim()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, text: &str) -> Workspace {
        Workspace::of_files(&[(path, text)])
    }

    #[test]
    fn every_unfinished_mark_is_found() {
        for pattern in UNFINISHED {
            let found = unfinished(&one("crates/a/src/lib.rs", &format!("fn a() {{\n    {pattern}")));
            assert_eq!(found.unwrap(), [format!("crates/a/src/lib.rs:2 {pattern}")]);
        }
        assert!(
            unfinished(&one("crates/a/src/lib.rs", "fn a() { done() }"))
                .unwrap()
                .is_empty()
        );
        assert!(unfinished(&one("notes.csv", UNFINISHED[0])).unwrap().is_empty());
    }

    #[test]
    fn an_exception_for_unsafe_code_is_found() {
        for pattern in UNSAFE {
            assert_eq!(unsafe_code(&one("a.rs", &format!("#![{pattern})]"))).unwrap().len(), 1);
        }
    }

    #[test]
    fn floats_are_found_where_they_are_banned() {
        for text in ["let a: f64 = b;", "a as f32", "let a = 1_f64;", "f64::from(a)"] {
            assert_eq!(floats(&one("crates/exec/src/a.rs", text)).unwrap().len(), 1, "{text}");
            assert!(floats(&one("crates/node/src/a.rs", text)).unwrap().is_empty());
        }
        assert!(
            floats(&one("crates/exec/src/a.rs", "hex 0af64b, xf64y"))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_long_file_is_found() {
        assert_eq!(long_files(&one("a.rs", &"\n".repeat(LINES_MAX + 1))).unwrap().len(), 1);
        assert!(long_files(&one("a.rs", &"\n".repeat(LINES_MAX))).unwrap().is_empty());
        assert!(
            long_files(&one("a.csv", &"\n".repeat(LINES_MAX + 1)))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn paths_of_one_machine_are_found_and_others_are_not() {
        for folder in MACHINE_FOLDERS {
            for before in ["", "see ", "\"", "`", "(", "PATH=", "dir:"] {
                let line = format!("{before}/{folder}/a");
                assert_eq!(machine_paths(&one("a.md", &line)).unwrap().len(), 1, "{line}");
            }
            for before in ["src", "..", "https:/", "$HOME", "a-"] {
                let line = format!("{before}/{folder}/a");
                assert!(machine_paths(&one("a.md", &line)).unwrap().is_empty(), "{line}");
            }
        }
        assert!(
            machine_paths(&one("a.md", "/usr/lib /var/lib/yulian /tmp/a"))
                .unwrap()
                .is_empty()
        );
    }
}
