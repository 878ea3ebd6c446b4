//! `EncryptedPrivateKeyInfo` by PBES2 (RFC 8018): PBKDF2, then a block cipher in CBC mode.

use super::PemError;
use ::der::asn1::{AnyRef, OctetString, OctetStringRef};
use ::der::{Choice, Decode, DecodeValue, Encode, Sequence, oid::ObjectIdentifier};
use aes::{Aes128, Aes256};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use cbc::{Decryptor, Encryptor};
use pbkdf2::pbkdf2_hmac;
use pkcs8::spki::AlgorithmIdentifierRef;
use rand_core::CryptoRng;
use sha2::Sha256;
use sm3::Sm3;
use sm4::Sm4;
use zeroize::Zeroizing;

/// Rounds of PBKDF2 for a file that is written: 0.1 s or less.
pub const ITERATIONS: u32 = 200_000;
/// The most that are carried out for a file that is read: a few seconds.
pub const ITERATIONS_MAX: u32 = 10_000_000;

const SALT_BYTES: usize = 16;
const IV_BYTES: usize = 16;

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
/// What PBKDF2 means when it names no function (RFC 8018, A.2).
const HMAC_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.7");
const HMAC_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.9");
const HMAC_SM3: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.401.2");
const SM4_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.104.2");
const AES_128_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.2");
const AES_256_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42");

/// An own encoding fails only beyond lengths that no key has.
const ENCODABLE: &str = "the parameters are always encodable";

#[derive(Sequence)]
struct EncryptedInfo<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    data: &'a OctetStringRef,
}

#[derive(Sequence)]
struct Pbes2Parameters<'a> {
    derivation: AlgorithmIdentifierRef<'a>,
    cipher: AlgorithmIdentifierRef<'a>,
}

#[derive(Sequence)]
struct Pbkdf2Parameters<'a> {
    salt: &'a OctetStringRef,
    iterations: u32,
    #[asn1(optional = "true")]
    key_bytes: Option<u16>,
    #[asn1(optional = "true")]
    function: Option<AlgorithmIdentifierRef<'a>>,
}

/// Encrypts a `PrivateKeyInfo` with SM4-CBC under PBKDF2-HMAC-SHA256.
pub(super) fn encrypt(plain: &[u8], passphrase: &str, rng: &mut impl CryptoRng) -> Result<Vec<u8>, PemError> {
    if passphrase.is_empty() {
        return Err(PemError::EmptyPassphrase);
    }
    let (mut salt, mut iv) = ([0; SALT_BYTES], [0; IV_BYTES]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut iv);
    let mut key = Zeroizing::new([0; 16]);
    pbkdf2_hmac::<Sha256>(passphrase.as_bytes(), &salt, ITERATIONS, &mut *key);
    let cipher = Encryptor::<Sm4>::inner_iv_init(Sm4::new((&*key).into()), &iv.into());
    let data = cipher.encrypt_padded_vec::<Pkcs7>(plain);
    Ok(describe(&salt, &iv, &data))
}

/// The DER of what [`encrypt`] did.
fn describe(salt: &[u8], iv: &[u8], data: &[u8]) -> Vec<u8> {
    let octets = |bytes| OctetStringRef::new(bytes).expect(ENCODABLE);
    let derivation = Pbkdf2Parameters {
        salt: octets(salt),
        iterations: ITERATIONS,
        key_bytes: None,
        function: Some(algorithm(HMAC_SHA256, AnyRef::NULL)),
    };
    let derivation = derivation.to_der().expect(ENCODABLE);
    let iv = OctetString::new(iv).and_then(|iv| iv.to_der()).expect(ENCODABLE);
    let parameters = Pbes2Parameters {
        derivation: algorithm(PBKDF2, any(&derivation)),
        cipher: algorithm(SM4_CBC, any(&iv)),
    };
    let parameters = parameters.to_der().expect(ENCODABLE);
    let info = EncryptedInfo {
        algorithm: algorithm(PBES2, any(&parameters)),
        data: octets(data),
    };
    info.to_der().expect(ENCODABLE)
}

fn any(der: &[u8]) -> AnyRef<'_> {
    AnyRef::from_der(der).expect(ENCODABLE)
}

fn algorithm(oid: ObjectIdentifier, parameters: AnyRef<'_>) -> AlgorithmIdentifierRef<'_> {
    AlgorithmIdentifierRef {
        oid,
        parameters: Some(parameters),
    }
}

/// Decrypts to a `PrivateKeyInfo`.
pub(super) fn decrypt(bytes: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, PemError> {
    let info = EncryptedInfo::from_der(bytes).map_err(PemError::Asn1)?;
    let parameters: Pbes2Parameters<'_> = parameters_of(&info.algorithm, PBES2)?;
    let derivation: Pbkdf2Parameters<'_> = parameters_of(&parameters.derivation, PBKDF2)?;
    let oid = parameters.cipher.oid;
    let iv: &OctetStringRef = parameters_of(&parameters.cipher, oid)?;
    let key_bytes = match oid {
        SM4_CBC | AES_128_CBC => 16,
        AES_256_CBC => 32,
        other => return Err(PemError::Encryption(other)),
    };
    let mut key = Zeroizing::new([0; 32]);
    let key = &mut key[..key_bytes];
    derive(&derivation, passphrase, key)?;
    let data = info.data.as_bytes();
    match oid {
        SM4_CBC => decrypt_cbc::<Sm4>(key, iv, data),
        AES_128_CBC => decrypt_cbc::<Aes128>(key, iv, data),
        _ => decrypt_cbc::<Aes256>(key, iv, data),
    }
}

/// The parameters of an algorithm that must be the expected one.
fn parameters_of<'a, T: DecodeValue<'a, Error = ::der::Error> + Choice<'a>>(
    algorithm: &AlgorithmIdentifierRef<'a>,
    expected: ObjectIdentifier,
) -> Result<T, PemError> {
    if algorithm.oid != expected {
        return Err(PemError::Encryption(algorithm.oid));
    }
    let parameters = algorithm
        .parameters_any()
        .map_err(|_| PemError::Encryption(algorithm.oid))?;
    parameters.decode_as().map_err(PemError::Asn1)
}

fn derive(parameters: &Pbkdf2Parameters<'_>, passphrase: &str, key: &mut [u8]) -> Result<(), PemError> {
    let (salt, iterations) = (parameters.salt.as_bytes(), parameters.iterations);
    if !(1..=ITERATIONS_MAX).contains(&iterations) {
        return Err(PemError::Iterations(iterations));
    }
    if parameters
        .key_bytes
        .is_some_and(|bytes| usize::from(bytes) != key.len())
    {
        return Err(PemError::Encryption(PBKDF2));
    }
    let passphrase = passphrase.as_bytes();
    match parameters.function.as_ref().map_or(HMAC_SHA1, |function| function.oid) {
        HMAC_SHA256 => pbkdf2_hmac::<Sha256>(passphrase, salt, iterations, key),
        HMAC_SM3 => pbkdf2_hmac::<Sm3>(passphrase, salt, iterations, key),
        other => return Err(PemError::Encryption(other)),
    }
    Ok(())
}

fn decrypt_cbc<C>(key: &[u8], iv: &OctetStringRef, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, PemError>
where
    C: KeyInit + cbc::cipher::BlockCipherDecrypt,
{
    let wrong = |_| PemError::WrongPassphrase;
    let cipher = C::new_from_slice(key).map_err(|_| PemError::WrongPassphrase)?;
    let cipher = Decryptor::inner_iv_slice_init(cipher, iv.as_bytes()).map_err(|_| PemError::WrongPassphrase)?;
    let plain = cipher.decrypt_padded_vec::<Pkcs7>(data).map_err(wrong)?;
    Ok(Zeroizing::new(plain))
}
