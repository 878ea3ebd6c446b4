//! `yulian network init`.

use crate::world::{Answer, run, text};
use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

struct World {
    home: tempfile::TempDir,
    topology: PathBuf,
    out: PathBuf,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let example = run(home.path(), &["network", "example"]);
        assert_eq!(example.code, 0);
        let topology = home.path().join("network.toml");
        fs::write(&topology, example.out).unwrap();
        let out = home.path().join("network");
        Self { home, topology, out }
    }

    fn init(&self) -> Answer {
        let words = [
            "network",
            "init",
            "--topology",
            text(&self.topology),
            "--out",
            text(&self.out),
            "--json",
        ];
        run(self.home.path(), &words)
    }

    fn change(&self, from: &str, to: &str) {
        let content = fs::read_to_string(&self.topology).unwrap();
        assert!(content.contains(from), "{from}");
        fs::write(&self.topology, content.replacen(from, to, 1)).unwrap();
    }
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, into),
            false => into.push(path),
        }
    }
}

#[test]
fn a_network_has_a_folder_for_each_node_and_secret_keys() {
    let world = World::new();
    let made = world.init();
    assert_eq!(made.code, 0, "{}", made.out);
    let digest = made.json()["genesis"].as_str().unwrap().to_owned();
    assert_eq!(
        fs::read_to_string(world.out.join("genesis.txt")).unwrap().trim(),
        digest
    );
    let genesis = fs::read(world.out.join("genesis.bin")).unwrap();
    for node in ["unicom-1", "mobile-1", "telecom-1", "inspur-1"] {
        let folder = world.out.join(node);
        assert_eq!(fs::read(folder.join("genesis.bin")).unwrap(), genesis);
        let config: toml::Table = fs::read_to_string(folder.join("node.toml")).unwrap().parse().unwrap();
        assert_eq!(
            config["api_address"].as_str(),
            Some("127.0.0.1:18000"),
            "the API is not open to others"
        );
        assert!(fs::read_to_string(world.out.join("README.md")).unwrap().contains(node));
    }
    let mut all = Vec::new();
    files(&world.out, &mut all);
    let keys: Vec<&PathBuf> = all
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "pem"))
        .collect();
    assert_eq!(keys.len(), 4 + 6, "a key for each node and account");
    let mut public = BTreeSet::new();
    for key in keys {
        assert_eq!(
            fs::metadata(key).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            key.display()
        );
        let shown = run(world.home.path(), &["key", "show", text(key), "--json"]).json();
        assert!(
            public.insert(shown["public_key"].as_str().unwrap().to_owned()),
            "a key twice"
        );
    }
    // Nobody who reads the notes learns a secret.
    assert!(
        !fs::read_to_string(world.out.join("README.md"))
            .unwrap()
            .contains("PRIVATE")
    );
}

#[test]
fn nothing_is_overwritten_and_nothing_half_made_stays() {
    let world = World::new();
    assert_eq!(world.init().code, 0);
    let before = fs::read(world.out.join("genesis.bin")).unwrap();
    let again = world.init();
    assert_eq!(
        (again.code, again.json()["error"]["code"].as_str()),
        (2, Some("folder_not_empty"))
    );
    assert_eq!(fs::read(world.out.join("genesis.bin")).unwrap(), before);
    let bad = World::new();
    bad.change("cloud = \"移动\"", "cloud = \"联通\"");
    let refused = bad.init();
    assert_eq!(
        (refused.code, refused.json()["error"]["code"].as_str()),
        (2, Some("bad_network"))
    );
    assert!(refused.out.contains("联通"), "{}", refused.out);
    let names: Vec<_> = fs::read_dir(bad.home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["network.toml"]);
}

#[test]
fn keys_made_elsewhere_are_used_and_not_written() {
    let world = World::new();
    let key = world.home.path().join("hsm.pem");
    let public = run(world.home.path(), &["key", "new", text(&key), "--json"]).json()["public_key"].clone();
    let public = public.as_str().unwrap();
    world.change(
        "host = \"10.0.1.11\"",
        &format!("host = \"10.0.1.11\"\npublic_key = \"{public}\""),
    );
    assert_eq!(world.init().code, 0);
    assert!(!world.out.join("unicom-1/node.pem").exists());
    assert!(
        fs::read_to_string(world.out.join("yulian-network.toml"))
            .unwrap()
            .contains(public)
    );
    world.change(public, "02zz");
    fs::remove_dir_all(&world.out).unwrap();
    let bad = world.init();
    assert_eq!(
        (bad.code, bad.json()["error"]["code"].as_str()),
        (2, Some("bad_public_key"))
    );
}

#[test]
fn mistakes_in_a_topology_are_named() {
    for (from, to, code) in [
        ("name = \"河南豫链\"", "nmae = \"河南豫链\"", "bad_topology"),
        ("# [parameters]", "[parameters]\nspeed = 1", "unknown_parameter"),
        ("# epoch_length = 256", "epoch_length = 1", "bad_network"),
        (
            "organisation = \"henan-mobile\"",
            "organisation = \"nobody\"",
            "bad_network",
        ),
    ] {
        let world = World::new();
        world.change(from, to);
        let refused = world.init();
        assert_eq!(
            (refused.code, refused.json()["error"]["code"].as_str()),
            (2, Some(code)),
            "{to}"
        );
        assert!(!world.out.exists());
    }
}

#[test]
fn up_refuses_what_it_cannot_do_before_it_starts_anything() {
    let home = tempfile::tempdir().unwrap();
    let code = |words: &[&str]| {
        let answer = run(home.path(), &[&["up"], words].concat());
        assert_eq!(answer.code, 2, "{words:?}: {}", answer.out);
        answer.err
    };
    assert!(code(&["--nodes", "5"]).contains("[bad_node_count]"));
    assert!(code(&["--port-base", "80"]).contains("[bad_port_base]"));
    let mine = home.path().join("mine");
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("thesis.txt"), "years of work").unwrap();
    assert!(code(&["--dir", text(&mine)]).contains("[folder_not_empty]"));
    assert!(code(&["--dir", text(&mine), "--fresh"]).contains("[not_our_folder]"));
    assert_eq!(fs::read_to_string(mine.join("thesis.txt")).unwrap(), "years of work");
    let names: Vec<_> = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["mine"]);
}

#[test]
fn a_port_in_use_is_named() {
    let home = tempfile::tempdir().unwrap();
    // A base in the range of ports whose listener this test holds.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let base = (port - 2).min(65_000);
    let answer = run(home.path(), &["up", "--port-base", &base.to_string()]);
    assert_eq!(answer.code, 2);
    assert!(
        answer.err.contains("[port_in_use]") && answer.err.contains("127.0.0.1:"),
        "{}",
        answer.err
    );
    assert!(!home.path().join("yulian-data/up.json").exists());
}

#[test]
fn a_folder_of_a_newer_program_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("yulian-data");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("yulian-network.toml"), "format = 2\n").unwrap();
    let answer = run(home.path(), &["up"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("[newer_network]"), "{}", answer.err);
}
