//! Key files: what is refused, and that nothing is ever overwritten or left half-written.

use crate::tools::Folder;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use yulian_crypto::key_file::{self, FILE_BYTES_MAX, KeyFileError, PemError};
use yulian_crypto::sm2::{SecretKey, Signer};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(40)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The only names in the folder, sorted.
fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_written_is_read() {
    let folder = Folder::new();
    let secret = SecretKey::generate(&mut rng());
    for (name, passphrase) in [("plain", None), ("encrypted", Some("口令"))] {
        let path = folder.path(name);
        key_file::write(&path, &secret, passphrase, &mut rng()).unwrap();
        assert_eq!(mode(&path), 0o600);
        let read = key_file::read(&path, passphrase).unwrap();
        assert_eq!(read.to_bytes(), secret.to_bytes());
    }
    let path = folder.path("public");
    key_file::write_public(&path, &secret.public_key()).unwrap();
    assert_eq!(key_file::read_public(&path).unwrap(), secret.public_key());
    assert_eq!(names(&path), ["encrypted", "plain", "public"]);
}

#[test]
fn two_files_of_one_key_share_no_bytes_but_the_frame() {
    let secret = SecretKey::generate(&mut rng());
    let mut rng = rng();
    let mut encrypt = || key_file::to_encrypted_pem(&secret, "same", &mut rng).unwrap();
    assert_ne!(encrypt(), encrypt(), "salt and initialisation vector are drawn anew");
}

#[test]
fn an_existing_file_is_left_as_it_is() {
    let folder = Folder::new();
    let path = folder.path("key");
    let secret = SecretKey::generate(&mut rng());
    for target_exists in ["file", "link to nothing"] {
        if target_exists == "file" {
            fs::write(&path, "mine").unwrap();
        } else {
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink("nowhere", &path).unwrap();
        }
        let error = key_file::write(&path, &secret, None, &mut rng()).unwrap_err();
        assert!(matches!(error, KeyFileError::Exists { .. }), "{error}");
        let error = key_file::write_public(&path, &secret.public_key()).unwrap_err();
        assert!(matches!(error, KeyFileError::Exists { .. }), "{error}");
        assert_eq!(names(&path), ["key"]);
        if target_exists == "file" {
            assert_eq!(fs::read(&path).unwrap(), b"mine");
        }
    }
}

#[test]
fn a_file_left_by_a_crash_does_not_stand_in_the_way() {
    let folder = Folder::new();
    let path = folder.path("key");
    let secret = SecretKey::generate(&mut rng());
    let half = format!("key.{}.new", &secret.public_key().to_string()[..16]);
    folder.put(&half, b"half of a key");
    key_file::write(&path, &secret, None, &mut rng()).unwrap();
    assert_eq!(names(&path), ["key"]);
    key_file::read(&path, None).unwrap();
}

#[test]
fn a_private_key_that_others_may_read_is_refused() {
    let folder = Folder::new();
    let path = folder.path("key");
    let secret = SecretKey::generate(&mut rng());
    key_file::write(&path, &secret, None, &mut rng()).unwrap();
    for refused in [0o640, 0o604, 0o660, 0o700, 0o644, 0o777] {
        set_mode(&path, refused);
        let error = key_file::read(&path, None).unwrap_err();
        assert!(
            matches!(error, KeyFileError::TooOpen { mode, .. } if mode == refused),
            "{error}"
        );
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    for accepted in [0o600, 0o400] {
        set_mode(&path, accepted);
        key_file::read(&path, None).unwrap();
    }
}

#[test]
fn what_cannot_be_opened_says_so() {
    let folder = Folder::new();
    let missing = folder.path("no folder").join("key");
    let secret = SecretKey::generate(&mut rng());
    let error = key_file::read(&missing, None).unwrap_err();
    assert!(matches!(error, KeyFileError::Read { .. }), "{error}");
    let error = key_file::write(&missing, &secret, None, &mut rng()).unwrap_err();
    assert!(matches!(error, KeyFileError::Write { .. }), "{error}");
    let error = key_file::read(folder.path("x").parent().unwrap(), None).unwrap_err();
    assert!(matches!(error, KeyFileError::Read { .. }), "{error}");

    for (content, expected) in [
        (vec![b'a'; FILE_BYTES_MAX + 1], "too long"),
        (vec![0xff; 10], "not a text"),
        (b"hello".to_vec(), "not in PEM"),
        (Vec::new(), "not in PEM"),
    ] {
        folder.put("key", &content);
        set_mode(&folder.path("key"), 0o600);
        let error = key_file::read(&folder.path("key"), None).unwrap_err();
        let source = error.source().expect("the reason is chained").to_string();
        assert!(source.contains(expected), "{source}");
    }
}

#[test]
fn passphrases() {
    let secret = SecretKey::generate(&mut rng());
    let refused = key_file::to_encrypted_pem(&secret, "", &mut rng());
    assert!(matches!(refused, Err(PemError::EmptyPassphrase)));
    let pem = key_file::to_encrypted_pem(&secret, "right", &mut rng()).unwrap();
    let with = |passphrase| key_file::from_pem(&pem, passphrase);
    assert!(with(Some("right")).is_ok());
    assert!(matches!(with(None), Err(PemError::NeedsPassphrase)));
    for wrong in ["", "Right", "right ", "wrong"] {
        assert!(matches!(with(Some(wrong)), Err(PemError::WrongPassphrase)), "{wrong}");
    }
    // A file that is not encrypted needs none.
    let plain = key_file::to_pem(&secret);
    assert!(key_file::from_pem(&plain, Some("unused")).is_ok());
}

/// The PEM text of other bytes under the label of `pem`.
fn with_bytes(pem: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let (label, mut bytes) = der::pem::decode_vec(pem.as_bytes()).unwrap();
    change(&mut bytes);
    der::pem::encode_string(label, der::pem::LineEnding::LF, &bytes).unwrap()
}

#[test]
fn any_changed_byte_of_a_plain_key_is_refused_or_harmless() {
    let secret = SecretKey::generate(&mut rng());
    let pem = key_file::to_pem(&secret);
    let length = der::pem::decode_vec(pem.as_bytes()).unwrap().1.len();
    for at in 0..length {
        let changed = with_bytes(&pem, |bytes| bytes[at] ^= 1);
        // The public key beside the number does not fit any more; nothing else is free to change.
        assert!(key_file::from_pem(&changed, None).is_err(), "{at}");
    }
    for shorter in 0..length {
        let changed = with_bytes(&pem, |bytes| bytes.truncate(shorter));
        assert!(key_file::from_pem(&changed, None).is_err(), "{shorter}");
    }
    let longer = with_bytes(&pem, |bytes| bytes.push(0));
    assert!(matches!(key_file::from_pem(&longer, None), Err(PemError::Asn1(_))));

    let public = key_file::public_to_pem(&secret.public_key());
    for shorter in 0..der::pem::decode_vec(public.as_bytes()).unwrap().1.len() {
        let changed = with_bytes(&public, |bytes| bytes.truncate(shorter));
        assert!(key_file::public_from_pem(&changed).is_err(), "{shorter}");
    }
}

#[test]
fn the_wrong_kind_of_pem_is_named() {
    let secret = SecretKey::generate(&mut rng());
    let public = key_file::public_to_pem(&secret.public_key());
    let refused = key_file::from_pem(&public, None).unwrap_err();
    assert!(
        matches!(&refused, PemError::Label(label) if label == "PUBLIC KEY"),
        "{refused}"
    );
    let refused = key_file::public_from_pem(&key_file::to_pem(&secret)).unwrap_err();
    assert!(
        matches!(&refused, PemError::Label(label) if label == "PRIVATE KEY"),
        "{refused}"
    );
}

#[test]
fn endless_key_derivation_is_refused() {
    let secret = SecretKey::generate(&mut rng());
    let pem = key_file::to_encrypted_pem(&secret, "x", &mut rng()).unwrap();
    // 200,000 is INTEGER 02 03 030d40.
    let changed = with_bytes(&pem, |bytes| {
        let at = bytes
            .windows(5)
            .position(|window| window == [2, 3, 3, 0x0d, 0x40])
            .unwrap();
        bytes[at + 2] = 0x7f;
    });
    assert!(key_file::from_pem(&changed, Some("x")).is_err());
    let changed = with_bytes(&pem, |bytes| {
        let at = bytes
            .windows(5)
            .position(|window| window == [2, 3, 3, 0x0d, 0x40])
            .unwrap();
        bytes.splice(at..at + 5, [2, 4, 0x7f, 0xff, 0xff, 0xff]);
        // One byte longer: so are the four structures around, whose lengths are single bytes.
        for start in [3, 16, 18, 31] {
            assert_eq!(bytes[start], 0x30);
            bytes[start + 1] += 1;
        }
        bytes[2] += 1;
    });
    let refused = key_file::from_pem(&changed, Some("x")).unwrap_err();
    assert!(matches!(refused, PemError::Iterations(0x7fff_ffff)), "{refused:?}");
}
