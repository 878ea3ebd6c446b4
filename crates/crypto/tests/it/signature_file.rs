//! A device with random nonces, made deterministic by a durable file of signatures.

use ::sm2::dsa::SigningKey;
use ::sm2::dsa::signature::hazmat::RandomizedPrehashSigner;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use yulian_crypto::Digest;
use yulian_crypto::sm2::{
    CachedSigner, FastVerifier, PublicKey, SecretKey, SignError, Signature, SignatureCache, SignatureFile, Signer,
    SigningDevice, Verifier,
};

const RECORD_BYTES: usize = 104;
const HEADER_BYTES: usize = 8;

/// Signs with random nonces, as devices do, and counts.
struct Device {
    key: SigningKey,
    rng: Mutex<ChaCha20Rng>,
    signed: Arc<AtomicUsize>,
    faulty: bool,
}

impl Device {
    fn new(seed: u64) -> Self {
        Self {
            key: SigningKey::from_slice("1234567812345678", &[7; 32]).unwrap(),
            rng: Mutex::new(ChaCha20Rng::seed_from_u64(seed)),
            signed: Arc::default(),
            faulty: false,
        }
    }
}

impl SigningDevice for Device {
    fn public_key(&self) -> PublicKey {
        SecretKey::from_bytes(&[7; 32]).unwrap().public_key()
    }

    fn sign_digest(&self, e: &Digest) -> Result<Signature, Box<dyn Error + Send + Sync>> {
        self.signed.fetch_add(1, Ordering::Relaxed);
        let signature: ::sm2::dsa::Signature = self.key.sign_prehash_with_rng(&mut *self.rng.lock().unwrap(), &e.0)?;
        let mut bytes: [u8; 64] = signature.to_bytes().into();
        bytes[63] ^= u8::from(self.faulty);
        Ok(Signature::from_bytes(&bytes)?)
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("signatures")
    }
}

fn signer(path: &Path, seed: u64) -> CachedSigner<Device, SignatureFile> {
    CachedSigner::new(Device::new(seed), SignatureFile::open(path, 100).unwrap())
}

fn subject(number: u8) -> Digest {
    Digest([number; 32])
}

fn signature(number: u8) -> Signature {
    Signature::from_bytes(&[number; 64]).unwrap()
}

#[test]
fn one_message_has_one_signature_for_ever() {
    let folder = Folder::new();
    let bare = |seed| Device::new(seed).sign_digest(&subject(1)).unwrap();
    assert_ne!(bare(1), bare(2), "the device's nonces are random");
    let first = signer(&folder.file(), 1).sign(b"vote").unwrap();
    for seed in 2..5 {
        let signer = signer(&folder.file(), seed);
        assert_eq!(signer.sign(b"vote").unwrap(), first);
        assert_ne!(signer.sign(b"another vote").unwrap(), first);
        assert!(FastVerifier::default().verify(&signer.public_key(), b"vote", &first));
    }
}

#[test]
fn threads_with_one_message_get_one_signature() {
    let folder = Folder::new();
    let device = Device::new(1);
    let signed = device.signed.clone();
    let signer = CachedSigner::new(device, SignatureFile::open(&folder.file(), 100).unwrap());
    let all: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| signer.sign(b"vote").unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(all.iter().all(|signature| *signature == all[0]));
    assert_eq!(signed.load(Ordering::Relaxed), 1);
}

#[test]
fn a_wrong_signature_is_neither_stored_nor_released() {
    let folder = Folder::new();
    let mut device = Device::new(1);
    device.faulty = true;
    let signer = CachedSigner::new(device, SignatureFile::open(&folder.file(), 100).unwrap());
    assert!(matches!(signer.sign(b"vote"), Err(SignError::WrongSignature)));
    assert_eq!(fs::read(folder.file()).unwrap().len(), HEADER_BYTES);
}

#[test]
fn nothing_is_released_that_was_not_stored() {
    struct Full;
    impl SignatureCache for Full {
        fn get(&self, _: &Digest) -> io::Result<Option<Signature>> {
            Ok(None)
        }
        fn put(&self, _: &Digest, _: &Signature) -> io::Result<()> {
            Err(ErrorKind::StorageFull.into())
        }
    }
    let signer = CachedSigner::new(Device::new(1), Full);
    assert!(matches!(signer.sign(b"vote"), Err(SignError::Cache(_))));
}

#[test]
fn a_torn_last_record_is_dropped() {
    let folder = Folder::new();
    let path = folder.file();
    {
        let file = SignatureFile::open(&path, 100).unwrap();
        file.put(&subject(1), &signature(1)).unwrap();
        file.put(&subject(2), &signature(2)).unwrap();
    }
    let whole = fs::read(&path).unwrap();
    assert_eq!(whole.len(), HEADER_BYTES + 2 * RECORD_BYTES);
    for cut in 0..whole.len() {
        for filler in [0, 1] {
            // The rest is missing, or the size reached the disk and the bytes did not.
            let mut bytes = whole[..cut].to_vec();
            if filler == 1 && cut > HEADER_BYTES + RECORD_BYTES {
                bytes.resize(whole.len(), 0);
            }
            fs::write(&path, &bytes).unwrap();
            let file = SignatureFile::open(&path, 100).unwrap();
            let kept = |number| file.get(&subject(number)).unwrap() == Some(signature(number));
            assert_eq!(kept(1), cut >= HEADER_BYTES + RECORD_BYTES, "{cut}");
            assert!(!kept(2), "{cut}");
            file.put(&subject(3), &signature(3)).unwrap();
            drop(file);
            let file = SignatureFile::open(&path, 100).unwrap();
            assert_eq!(file.get(&subject(3)).unwrap(), Some(signature(3)));
            let entries = usize::from(cut >= HEADER_BYTES + RECORD_BYTES) + 1;
            let length = fs::metadata(&path).unwrap().len() as usize;
            assert_eq!(length, HEADER_BYTES + entries * RECORD_BYTES);
        }
    }
}

#[test]
fn damage_in_the_middle_is_an_error() {
    let folder = Folder::new();
    let path = folder.file();
    let file = SignatureFile::open(&path, 100).unwrap();
    for number in 1..=3 {
        file.put(&subject(number), &signature(number)).unwrap();
    }
    drop(file);
    let whole = fs::read(&path).unwrap();
    for at in 0..HEADER_BYTES + 2 * RECORD_BYTES {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let error = SignatureFile::open(&path, 100).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{at}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "a damaged file is left as it is");
    }
}

#[test]
fn the_file_stays_small_and_keeps_the_newest() {
    let folder = Folder::new();
    let path = folder.file();
    for number in 1..=40 {
        let file = SignatureFile::open(&path, 4).unwrap();
        file.put(&subject(number), &signature(number)).unwrap();
        file.put(&subject(number), &signature(number)).unwrap();
        for (earlier, age) in (1..=number).rev().zip(0..) {
            let expected = (age < 4).then(|| signature(earlier));
            assert_eq!(file.get(&subject(earlier)).unwrap(), expected, "{number} {earlier}");
        }
        let length = fs::metadata(&path).unwrap().len() as usize;
        assert!(length < HEADER_BYTES + 8 * RECORD_BYTES);
    }
}

#[test]
fn a_subject_keeps_its_first_signature() {
    let folder = Folder::new();
    let file = SignatureFile::open(&folder.file(), 4).unwrap();
    file.put(&subject(1), &signature(1)).unwrap();
    let error = file.put(&subject(1), &signature(2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(file.get(&subject(1)).unwrap(), Some(signature(1)));
}

#[test]
fn one_holder_and_no_other_readers() {
    let folder = Folder::new();
    let path = folder.file();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = SignatureFile::open(&path, 1).unwrap();
    let refused = |path| SignatureFile::open(path, 1).unwrap_err().kind();
    assert_eq!(refused(&path), ErrorKind::WouldBlock);
    assert_eq!(mode(&path), 0o600);
    for number in 1..=5 {
        file.put(&subject(number), &signature(number)).unwrap();
    }
    assert_eq!(
        refused(&path),
        ErrorKind::WouldBlock,
        "still held after it was rewritten"
    );
    assert_eq!(mode(&path), 0o600);
    drop(file);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(refused(&path), ErrorKind::PermissionDenied);
}
