//! What the rules look at: the packages as cargo sees them, and the text of every file.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Folders that are never part of the project; so is any folder that cargo marked as a cache.
const SKIPPED_FOLDERS: [&str; 3] = [".git", "node_modules", "yulian-data"];
const CACHE_MARK: &str = "CACHEDIR.TAG";
/// A larger file is data, not text that someone wrote.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// The whole repository.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Folder of the root manifest.
    pub root: PathBuf,
    /// Our own packages.
    pub packages: Vec<Package>,
    /// Everything they depend on, directly or not, for any platform.
    pub foreign: Vec<Package>,
    /// Every text file, by its path from the root, sorted.
    pub files: Vec<File>,
}

/// A package as `cargo metadata` describes it.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Package {
    /// Name in the manifest.
    pub name: String,
    /// Version in the manifest.
    pub version: String,
    /// Description in the manifest.
    pub description: Option<String>,
    /// SPDX expression.
    pub license: Option<String>,
    /// Where it comes from; none for our own.
    pub source: Option<String>,
    id: String,
    manifest_path: PathBuf,
    metadata: Option<Metadata>,
    /// What the manifest names.
    pub dependencies: Vec<Dependency>,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct Metadata {
    layer: Option<u8>,
}

/// A dependency as the manifest names it.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Dependency {
    /// Name of the package depended on.
    pub name: String,
}

/// A text file.
#[derive(Debug, Clone)]
pub struct File {
    /// From the root, with `/`.
    pub path: String,
    /// Its content.
    pub text: String,
}

#[derive(Deserialize)]
struct CargoMetadata {
    workspace_root: PathBuf,
    workspace_members: BTreeSet<String>,
    packages: Vec<Package>,
}

impl Package {
    /// The layer that the manifest declares.
    pub fn layer(&self) -> Option<u8> {
        self.metadata.as_ref()?.layer
    }

    /// The folder of the manifest, from the root, with `/`.
    pub fn folder(&self, root: &Path) -> String {
        let folder = self.manifest_path.parent().unwrap_or(root);
        let folder = folder.strip_prefix(root).unwrap_or(folder);
        folder.to_string_lossy().replace('\\', "/")
    }

    #[cfg(test)]
    pub(super) fn example(name: &str, layer: Option<u8>, dependencies: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            manifest_path: format!("crates/{}/Cargo.toml", super::short(name)).into(),
            metadata: Some(Metadata { layer }),
            dependencies: dependencies
                .iter()
                .map(|name| Dependency {
                    name: (*name).to_owned(),
                })
                .collect(),
            ..Self::default()
        }
    }
}

impl Workspace {
    /// Asks cargo for the packages and reads the files of the workspace.
    pub fn load() -> Result<Self> {
        let text = cargo(&["metadata", "--format-version", "1", "--locked"])?;
        let metadata: CargoMetadata = serde_json::from_str(&text).context("read what cargo metadata printed")?;
        let (packages, foreign) = metadata
            .packages
            .into_iter()
            .partition(|package| metadata.workspace_members.contains(&package.id));
        let root = metadata.workspace_root;
        let mut files = Vec::new();
        read_folder(&root, &root, &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self {
            root,
            packages,
            foreign,
            files,
        })
    }

    /// The file at a path from the root.
    pub fn file(&self, path: &str) -> Option<&File> {
        let at = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(at)
    }

    /// Our packages of the layers without IO.
    pub fn domain(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| {
            package
                .layer()
                .is_some_and(|layer| layer <= super::layers::DOMAIN_LAYER_MAX)
        })
    }

    #[cfg(test)]
    pub(super) fn of_files(files: &[(&str, &str)]) -> Self {
        let mut files: Vec<_> = files
            .iter()
            .map(|(path, text)| File {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self {
            files,
            ..Self::default()
        }
    }
}

/// What a cargo command prints, run in the folder of the workspace.
pub(super) fn cargo(arguments: &[&str]) -> Result<String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .args(arguments)
        .current_dir(crate::root())
        .output()
        .with_context(|| format!("run cargo {}", arguments.join(" ")))?;
    if !output.status.success() {
        bail!(
            "cargo {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout).context("cargo prints UTF-8")
}

fn read_folder(root: &Path, folder: &Path, files: &mut Vec<File>) -> Result<()> {
    if folder.join(CACHE_MARK).exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            if !SKIPPED_FOLDERS.iter().any(|skipped| entry.file_name() == *skipped) {
                read_folder(root, &path, files)?;
            }
        } else if kind.is_file() && entry.metadata()?.len() <= TEXT_BYTES_MAX {
            // What is not UTF-8 is not text: an image, a key, an archive.
            if let Ok(text) = String::from_utf8(fs::read(&path).with_context(|| format!("read {}", path.display()))?) {
                let path = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
                files.push(File { path, text });
            }
        }
    }
    Ok(())
}
