//! Other programs that the tests compare with. A missing one fails the test and says how to get it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The version of PyPI's `gmssl` that the tests were written with.
const GMSSL: &str = "gmssl==3.2.2";

/// What `openssl` prints, given its arguments and input; panics when it fails.
pub(crate) fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    try_openssl(arguments, input).unwrap_or_else(|error| panic!("openssl {arguments:?} failed: {error}"))
}

/// The same, where a failure is an answer: standard error as `Err`.
pub(crate) fn try_openssl(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut command = Command::new("openssl");
    command.args(arguments);
    run(
        command,
        input,
        "OpenSSL 3 is needed for this test: apt-get install openssl",
    )
}

/// What a Python program prints that may import `gmssl`.
pub(crate) fn gmssl(program: &str, input: &str) -> String {
    let mut command = python();
    command.args(["-c", program]).env("PYTHONPATH", gmssl_folder());
    let out = run(command, input.as_bytes(), PYTHON_NEEDED).unwrap_or_else(|error| panic!("python3 failed: {error}"));
    String::from_utf8(out).expect("the program prints text")
}

const PYTHON_NEEDED: &str = "Python 3 with pip is needed for this test: apt-get install python3-pip";

fn python() -> Command {
    Command::new("python3")
}

/// The folder with `gmssl`, installed on first use.
fn gmssl_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(GMSSL);
        if !folder.is_dir() {
            install(&folder);
        }
        folder
    })
}

/// Installs to a folder beside, which gets its name when all is there.
fn install(folder: &Path) {
    let beside = folder.with_extension(std::process::id().to_string());
    let target = beside.to_str().expect("the target folder has a readable name");
    let mut command = python();
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    command.args(["--target", target, GMSSL]);
    let done = run(command, b"", PYTHON_NEEDED);
    done.unwrap_or_else(|error| panic!("{PYTHON_NEEDED}; pip could not install {GMSSL}: {error}"));
    if fs::rename(&beside, folder).is_err() {
        assert!(folder.is_dir(), "another run installed it meanwhile");
        fs::remove_dir_all(&beside).unwrap();
    }
}

fn run(mut command: Command, input: &[u8], needed: &str) -> Result<Vec<u8>, String> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{needed} ({error})"));
    // All inputs here fit a pipe's buffer. A program that does not read them says why by itself.
    let _ = child.stdin.take().expect("piped").write_all(input);
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// A folder for files that other programs read and write.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Writes a file of the default mode and gives its name.
    pub(crate) fn put(&self, name: &str, content: &[u8]) -> String {
        fs::write(self.path(name), content).unwrap();
        self.text(name)
    }
}
