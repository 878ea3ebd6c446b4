//! `PrivateKeyInfo` (RFC 5208) with `ECPrivateKey` (RFC 5915), and `SubjectPublicKeyInfo` (RFC 5480).

use super::PemError;
use crate::sm2::{PublicKey, SecretKey, Signer};
use ::der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use ::der::{Decode, Encode, oid::ObjectIdentifier};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use sec1::EcPrivateKey;
use zeroize::Zeroizing;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SM2_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301");

/// An own encoding fails only beyond lengths that no key has.
const ENCODABLE: &str = "a key is always encodable";

pub(super) fn private_to_der(key: &SecretKey) -> Zeroizing<Vec<u8>> {
    let (number, public) = (key.to_bytes(), key.public_key().to_uncompressed());
    let inner = EcPrivateKey {
        private_key: &*number,
        parameters: None,
        public_key: Some(&public),
    };
    let inner = Zeroizing::new(inner.to_der().expect(ENCODABLE));
    let inner = OctetStringRef::new(&inner).expect(ENCODABLE);
    let info = PrivateKeyInfoRef::new(sm2_algorithm(), inner);
    Zeroizing::new(info.to_der().expect(ENCODABLE))
}

pub(super) fn private_from_der(bytes: &[u8]) -> Result<SecretKey, PemError> {
    let info = PrivateKeyInfoRef::from_der(bytes).map_err(PemError::Asn1)?;
    check_algorithm(&info.algorithm)?;
    let inner = EcPrivateKey::from_der(info.private_key.as_bytes()).map_err(PemError::Asn1)?;
    if let Some(curve) = inner.parameters.and_then(|parameters| parameters.named_curve()) {
        check_curve(curve)?;
    }
    let number = inner.private_key.try_into().map_err(|_| PemError::Range)?;
    let key = SecretKey::from_bytes(number).map_err(|_| PemError::Range)?;
    match inner.public_key.map(parse_point).transpose()? {
        Some(public) if public != key.public_key() => Err(PemError::OtherPublicKey),
        _ => Ok(key),
    }
}

pub(super) fn public_to_der(key: &PublicKey) -> Vec<u8> {
    let point = key.to_uncompressed();
    let info = SubjectPublicKeyInfoRef {
        algorithm: sm2_algorithm(),
        subject_public_key: BitStringRef::from_bytes(&point).expect(ENCODABLE),
    };
    info.to_der().expect(ENCODABLE)
}

pub(super) fn public_from_der(bytes: &[u8]) -> Result<PublicKey, PemError> {
    let info = SubjectPublicKeyInfoRef::from_der(bytes).map_err(PemError::Asn1)?;
    check_algorithm(&info.algorithm)?;
    // A bit string that is no whole number of bytes is no point: it fails as an empty one.
    parse_point(info.subject_public_key.as_bytes().unwrap_or_default())
}

fn parse_point(bytes: &[u8]) -> Result<PublicKey, PemError> {
    match bytes.len() {
        65 => PublicKey::from_uncompressed(bytes),
        _ => PublicKey::from_bytes(bytes),
    }
    .map_err(PemError::Point)
}

fn sm2_algorithm() -> AlgorithmIdentifierRef<'static> {
    AlgorithmIdentifierRef {
        oid: EC_PUBLIC_KEY,
        parameters: Some(AnyRef::from(&SM2_CURVE)),
    }
}

fn check_algorithm(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<(), PemError> {
    if algorithm.oid != EC_PUBLIC_KEY {
        return Err(PemError::NotSm2(algorithm.oid));
    }
    check_curve(
        algorithm
            .parameters_oid()
            .map_err(|_| PemError::NotSm2(algorithm.oid))?,
    )
}

fn check_curve(curve: ObjectIdentifier) -> Result<(), PemError> {
    if curve == SM2_CURVE {
        Ok(())
    } else {
        Err(PemError::NotSm2(curve))
    }
}
