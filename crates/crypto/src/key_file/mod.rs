//! SM2 key files: PKCS#8 PEM that OpenSSL reads, plain or encrypted with a passphrase.
//!
//! A private key is written as RFC 5208 `PrivateKeyInfo` with id-ecPublicKey and the SM2 curve's OID
//! 1.2.156.10197.1.301 (GB/T 33560). With a passphrase it is wrapped by PBES2 (RFC 8018): SM4-CBC under
//! PBKDF2-HMAC-SHA256, since OpenSSL 3.0 knows no PBKDF2 over SM3. Read are also PBKDF2-HMAC-SM3 and
//! AES-CBC, as `openssl pkcs8 -topk8` and other tools write.
//!
//! Files are written whole or not at all, never over an existing one. One that others could read is
//! refused, as SSH does.

mod der;
mod error;
mod pbes2;

pub use self::error::{KeyFileError, PemError};
pub use self::pbes2::{ITERATIONS, ITERATIONS_MAX};

use crate::files::{create_private, is_wider, mode, sync_parent};
use crate::sm2::{PublicKey, SecretKey, Signer};
use ::der::pem;
use rand_core::CryptoRng;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The largest file that is read, bytes; a key takes less than 1,000.
pub const FILE_BYTES_MAX: usize = 16 << 10;

const PRIVATE_LABEL: &str = "PRIVATE KEY";
const ENCRYPTED_LABEL: &str = "ENCRYPTED PRIVATE KEY";
const PUBLIC_LABEL: &str = "PUBLIC KEY";

/// Writes a new private key file of mode 0600, encrypted if there is a passphrase.
///
/// # Errors
/// [`KeyFileError::Exists`] when there is a file of that name: it is left as it is.
pub fn write(
    path: &Path,
    key: &SecretKey,
    passphrase: Option<&str>,
    rng: &mut impl CryptoRng,
) -> Result<(), KeyFileError> {
    let pem = match passphrase {
        None => Ok(to_pem(key)),
        Some(passphrase) => to_encrypted_pem(key, passphrase, rng),
    };
    let pem = pem.map_err(|source| KeyFileError::content(path, source))?;
    write_new(path, &key.public_key(), pem.as_bytes())
}

/// Reads a private key file; the passphrase is not used when the file is not encrypted.
///
/// # Errors
/// [`KeyFileError::TooOpen`] when its mode is wider than 0600, whatever it holds.
pub fn read(path: &Path, passphrase: Option<&str>) -> Result<SecretKey, KeyFileError> {
    let text = read_text(path, true)?;
    from_pem(&text, passphrase).map_err(|source| KeyFileError::content(path, source))
}

/// Writes a new public key file. (Mode 0600 as well: give it away on purpose.)
pub fn write_public(path: &Path, key: &PublicKey) -> Result<(), KeyFileError> {
    write_new(path, key, public_to_pem(key).as_bytes())
}

/// Reads a public key file.
pub fn read_public(path: &Path) -> Result<PublicKey, KeyFileError> {
    let text = read_text(path, false)?;
    public_from_pem(&text).map_err(|source| KeyFileError::content(path, source))
}

/// The private key as unencrypted PKCS#8 PEM.
pub fn to_pem(key: &SecretKey) -> Zeroizing<String> {
    encode(PRIVATE_LABEL, &der::private_to_der(key))
}

/// The private key as PKCS#8 PEM under a passphrase.
pub fn to_encrypted_pem(
    key: &SecretKey,
    passphrase: &str,
    rng: &mut impl CryptoRng,
) -> Result<Zeroizing<String>, PemError> {
    let encrypted = pbes2::encrypt(&der::private_to_der(key), passphrase, rng)?;
    Ok(encode(ENCRYPTED_LABEL, &encrypted))
}

/// The private key of a PKCS#8 PEM text, encrypted or not.
pub fn from_pem(text: &str, passphrase: Option<&str>) -> Result<SecretKey, PemError> {
    let (label, bytes) = decode(text)?;
    match label.as_str() {
        PRIVATE_LABEL => der::private_from_der(&bytes),
        ENCRYPTED_LABEL => {
            let passphrase = passphrase.ok_or(PemError::NeedsPassphrase)?;
            let plain = pbes2::decrypt(&bytes, passphrase)?;
            // A wrong passphrase has well-formed padding once in 256 times: then this is what notices.
            der::private_from_der(&plain).map_err(|error| match error {
                PemError::Asn1(_) => PemError::WrongPassphrase,
                other => other,
            })
        }
        _ => Err(PemError::Label(label)),
    }
}

/// The public key as SubjectPublicKeyInfo PEM.
pub fn public_to_pem(key: &PublicKey) -> String {
    encode(PUBLIC_LABEL, &der::public_to_der(key)).to_string()
}

/// The public key of a SubjectPublicKeyInfo PEM text.
pub fn public_from_pem(text: &str) -> Result<PublicKey, PemError> {
    let (label, bytes) = decode(text)?;
    if label != PUBLIC_LABEL {
        return Err(PemError::Label(label));
    }
    der::public_from_der(&bytes)
}

fn encode(label: &'static str, bytes: &[u8]) -> Zeroizing<String> {
    let text = pem::encode_string(label, pem::LineEnding::LF, bytes);
    Zeroizing::new(text.expect("a short text under a fixed label is always encodable"))
}

fn decode(text: &str) -> Result<(String, Zeroizing<Vec<u8>>), PemError> {
    let (label, bytes) = pem::decode_vec(text.as_bytes()).map_err(PemError::NotPem)?;
    Ok((label.to_owned(), Zeroizing::new(bytes)))
}

/// Reads a short file. The mode is that of the open file, so it cannot be exchanged in between.
#[expect(clippy::disallowed_methods, reason = "this module reads key files")]
fn read_text(path: &Path, private: bool) -> Result<Zeroizing<String>, KeyFileError> {
    let failed = |source| KeyFileError::read(path, source);
    let file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(failed(io::Error::new(ErrorKind::InvalidInput, "not a regular file")));
    }
    let mode = mode(&file).map_err(failed)?;
    if private && is_wider(mode) {
        let path = path.to_owned();
        return Err(KeyFileError::TooOpen { path, mode });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX + 1));
    let limit = FILE_BYTES_MAX as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(KeyFileError::content(path, PemError::TooLong));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| KeyFileError::content(path, PemError::NotText))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn write_new(path: &Path, key: &PublicKey, content: &[u8]) -> Result<(), KeyFileError> {
    try_write_new(path, key, content).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.to_owned() },
        _ => KeyFileError::write(path, source),
    })
}

/// The content goes to a file beside the target, which gets its name when all is on the disk. A link,
/// unlike a renaming, fails when there is something of that name.
#[expect(clippy::disallowed_methods, reason = "this module writes key files")]
fn try_write_new(path: &Path, key: &PublicKey, content: &[u8]) -> io::Result<()> {
    let beside = beside(path, key);
    // What an interrupted run for the same key left behind.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create_private(&beside)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&beside, path));
    fs::remove_file(&beside)?;
    linked?;
    sync_parent(path)
}

/// A name of its own for each key, so that two runs for two keys do not meet.
fn beside(path: &Path, key: &PublicKey) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", &key.to_string()[..16]));
    path.with_file_name(name)
}
