//! Values that travel in JSON as text: digests, bytes, keys and large numbers.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};
use yulian_crypto::{Digest, sm2::PublicKey};

/// Declares a newtype that is shown, parsed and described as one JSON string.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident($inner:ty), $pattern:literal, $describe:literal, $example:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl From<$inner> for $name {
            fn from(inner: $inner) -> Self {
                Self(inner)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let object = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some($pattern))
                    .description(Some($describe))
                    .examples([$example]);
                RefOr::T(Schema::Object(object.build()))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

/// A text is not of the form that its type asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {0}")]
pub struct NotText(&'static str);

text!(
    /// A 32-byte SM3 digest as 64 hexadecimal digits.
    DigestText(Digest),
    "^[0-9a-f]{64}$",
    "SM3 digest, 64 hexadecimal digits",
    "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
);

text!(
    /// An SM2 public key as 66 hexadecimal digits (compressed SEC1).
    KeyText(PublicKey),
    "^0[23][0-9a-f]{64}$",
    "SM2 public key, compressed SEC1, 66 hexadecimal digits",
    "0232c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
);

text!(
    /// Any bytes as hexadecimal digits.
    Hex(Bytes),
    "^([0-9a-f]{2})*$",
    "bytes in hexadecimal",
    "0a20"
);

text!(
    /// A number that may exceed 2^53, as a decimal string.
    Decimal(u64),
    "^[0-9]{1,20}$",
    "unsigned 64-bit number as a decimal string",
    "1000000"
);

impl Copy for DigestText {}
impl Copy for KeyText {}
impl Copy for Decimal {}

impl fmt::Display for DigestText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DigestText {
    type Err = NotText;

    fn from_str(text: &str) -> Result<Self, NotText> {
        text.parse().map(Self).map_err(|_| NotText("64 hexadecimal digits"))
    }
}

impl fmt::Display for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for KeyText {
    type Err = NotText;

    fn from_str(text: &str) -> Result<Self, NotText> {
        text.parse()
            .map(Self)
            .map_err(|_| NotText("an SM2 public key in 66 hexadecimal digits"))
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl FromStr for Hex {
    type Err = NotText;

    fn from_str(text: &str) -> Result<Self, NotText> {
        hex::decode(text)
            .map(|bytes| Self(bytes.into()))
            .map_err(|_| NotText("hexadecimal digits, two for each byte"))
    }
}

impl From<Vec<u8>> for Hex {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Decimal {
    type Err = NotText;

    fn from_str(text: &str) -> Result<Self, NotText> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten();
        number.map(Self).ok_or(NotText("an unsigned 64-bit decimal number"))
    }
}

impl DigestText {
    /// The digest in a protobuf field that a checked message guarantees to be 32 bytes; zero otherwise.
    pub fn of_field(bytes: &[u8]) -> Self {
        Self(Digest::from_slice(bytes).unwrap_or(Digest::ZERO))
    }

    /// The digest in a protobuf field that may be empty.
    pub fn of_optional(bytes: &[u8]) -> Option<Self> {
        Digest::from_slice(bytes).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round<T: Serialize + for<'de> Deserialize<'de> + PartialEq + fmt::Debug>(value: T, json: &str) {
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
        assert_eq!(serde_json::from_str::<T>(json).unwrap(), value);
    }

    #[test]
    fn texts_round_trip() {
        round(Decimal(u64::MAX), "\"18446744073709551615\"");
        round(Hex(Bytes::from_static(&[0, 255])), "\"00ff\"");
        round(
            DigestText(Digest([0x11; 32])),
            "\"1111111111111111111111111111111111111111111111111111111111111111\"",
        );
    }

    #[test]
    fn wrong_texts_are_refused() {
        for bad in ["", "+1", "-1", "18446744073709551616", "1e3", " 1"] {
            assert!(bad.parse::<Decimal>().is_err(), "{bad}");
        }
        assert!("0g".parse::<Hex>().is_err());
        assert!("000".parse::<Hex>().is_err());
        assert!("00".parse::<DigestText>().is_err());
        assert!("05".repeat(33).parse::<KeyText>().is_err());
    }
}
