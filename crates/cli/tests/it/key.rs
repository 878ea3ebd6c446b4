//! `yulian key`.

use crate::world::{command, run, text};
use std::{fs, os::unix::fs::PermissionsExt, process::Command};

#[test]
fn a_new_key_is_private_and_never_replaces_another() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.pem");
    let made = run(home.path(), &["key", "new", text(&path), "--json"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let shown = run(home.path(), &["key", "show", text(&path), "--json"]);
    assert_eq!(shown.json(), made.json());
    let again = run(home.path(), &["key", "new", text(&path), "--json"]);
    assert_eq!(
        (again.code, again.json()["error"]["code"].as_str()),
        (2, Some("cannot_write_key"))
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let open = run(home.path(), &["key", "show", text(&path)]);
    assert_eq!(open.code, 2);
    assert!(open.err.contains("chmod 600"), "{}", open.err);
}

#[test]
fn public_keys_are_the_same_everywhere() {
    let home = tempfile::tempdir().unwrap();
    let [private, public] = ["a.pem", "a.pub.pem"].map(|name| home.path().join(name));
    let made = run(home.path(), &["key", "new", text(&private), "--json"]);
    assert_eq!(
        run(home.path(), &["key", "public", text(&private), "--out", text(&public)]).code,
        0
    );
    let shown = run(home.path(), &["key", "show", text(&public), "--json"]).json();
    assert_eq!(shown["public_key"], made.json()["public_key"]);
    assert_eq!(shown["kind"], "public");
    // OpenSSL reads the private key and finds the same public one.
    let output = Command::new("openssl")
        .args(["pkey", "-pubout", "-in", text(&private)])
        .output();
    let output = output.expect("openssl must be installed for this test");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        fs::read_to_string(&public).unwrap()
    );
}

#[test]
fn passphrases_come_from_files_and_the_environment() {
    let home = tempfile::tempdir().unwrap();
    let [path, secret, other] = ["a.pem", "secret", "other"].map(|name| home.path().join(name));
    fs::write(&secret, "correct horse\n").unwrap();
    fs::write(&other, "wrong").unwrap();
    let made = run(
        home.path(),
        &["key", "new", text(&path), "--passphrase-file", text(&secret), "--json"],
    );
    assert_eq!((made.code, &made.json()["encrypted"]), (0, &true.into()));
    assert!(fs::read_to_string(&path).unwrap().contains("ENCRYPTED"));
    let show = |words: &[&str]| run(home.path(), &[&["key", "show", text(&path)], words].concat());
    assert_eq!(show(&["--passphrase-file", text(&secret)]).code, 0);
    let wrong = show(&["--passphrase-file", text(&other), "--json"]);
    assert_eq!(
        (wrong.code, wrong.json()["error"]["code"].as_str()),
        (2, Some("bad_key_file"))
    );
    let variable = command(home.path())
        .env("YULIAN_PASSPHRASE", "correct horse")
        .args(["key", "show", text(&path)])
        .output();
    assert!(variable.unwrap().status.success());
}

#[test]
fn a_passphrase_can_be_changed_and_taken_off() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str| home.path().join(name);
    let [plain, locked, open, secret] = ["a", "b", "c", "secret"].map(file);
    fs::write(&secret, "长口令").unwrap();
    let made = run(home.path(), &["key", "new", text(&plain), "--json"]).json();
    let lock = [
        "key",
        "encrypt",
        text(&plain),
        "-o",
        text(&locked),
        "--new-passphrase-file",
        text(&secret),
    ];
    assert_eq!(run(home.path(), &lock).code, 0);
    let unlock = [
        "key",
        "decrypt",
        text(&locked),
        "-o",
        text(&open),
        "--passphrase-file",
        text(&secret),
    ];
    assert_eq!(run(home.path(), &unlock).code, 0);
    let shown = run(home.path(), &["key", "show", text(&open), "--json"]).json();
    assert_eq!(shown["public_key"], made["public_key"]);
    assert_eq!(shown["encrypted"], false);
}
