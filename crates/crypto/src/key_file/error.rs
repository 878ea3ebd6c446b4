//! What goes wrong with key files. Operators see these texts, so they say what to do.

use crate::sm2::KeyError;
use ::der::{oid::ObjectIdentifier, pem};
use std::io;
use std::path::{Path, PathBuf};

/// A key file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is something of that name already.
    #[error(
        "文件 {path} 已存在，不会覆盖密钥：请换一个文件名，或先移走旧文件 / \
         {path} exists and a key is never overwritten: choose another name or move the old file away"
    )]
    Exists {
        /// The file that was to be written.
        path: PathBuf,
    },
    /// Others than the owner may read the private key.
    #[error(
        "私钥文件 {path} 的权限是 {mode:04o}，其他用户可能读取，因此拒绝使用：请执行 chmod 600 {path} / \
         the private key file {path} has mode {mode:04o}, so others may read it, and is refused: run chmod 600 {path}"
    )]
    TooOpen {
        /// The file that was to be read.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file could not be opened or read.
    #[error(
        "无法读取密钥文件 {path}：请检查路径和权限 / cannot read the key file {path}: check its path and permissions"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file could not be written; nothing of it is left.
    #[error(
        "无法写入密钥文件 {path}：请检查目录是否存在、可写、有空间 / \
         cannot write the key file {path}: check that its directory exists, is writable and has space"
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file was read, but holds no key that can be used.
    #[error("密钥文件 {path} 不可用 / the key file {path} cannot be used")]
    Content {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: PemError,
    },
}

impl KeyFileError {
    pub(super) fn content(path: &Path, source: PemError) -> Self {
        let path = path.to_owned();
        Self::Content { path, source }
    }

    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Read { path, source }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Write { path, source }
    }
}

/// A PEM text holds no SM2 key, or cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// Longer than any key.
    #[error("文件过长，不是密钥文件 / too long for a key file")]
    TooLong,
    /// Not UTF-8.
    #[error("不是文本；需要 PEM 格式 / not a text; PEM is needed")]
    NotText,
    /// No `-----BEGIN …-----` with base64 within.
    #[error("不是 PEM 格式 / not in PEM")]
    NotPem(#[source] pem::Error),
    /// PEM of something else.
    #[error(
        "PEM 类型“{0}”不受支持：私钥请用 openssl pkcs8 -topk8 -nocrypt 转为 PKCS#8，公钥请用 openssl pkey -pubout / \
         PEM type \"{0}\" is not supported: convert a private key by openssl pkcs8 -topk8 -nocrypt, \
         a public key by openssl pkey -pubout"
    )]
    Label(String),
    /// The bytes within are not the structure that the label promises.
    #[error("内容已损坏，请从备份恢复 / the content is damaged: restore it from a backup")]
    Asn1(#[source] ::der::Error),
    /// A key of another algorithm or curve.
    #[error("算法或曲线 {0} 不是 SM2 / algorithm or curve {0} is not SM2")]
    NotSm2(ObjectIdentifier),
    /// The private number is not 32 bytes in 1..n-2.
    #[error("私钥数值超出 SM2 范围 / the private number is out of SM2's range")]
    Range,
    /// The public key within is no point of the curve.
    #[error("公钥无效 / the public key is not valid")]
    Point(#[source] KeyError),
    /// The public key beside the private one belongs to another.
    #[error("文件中的公钥与私钥不匹配 / the public key in the file is not that of the private key")]
    OtherPublicKey,
    /// Encrypted, and no passphrase was given.
    #[error("密钥已加密：请提供口令 / the key is encrypted: give its passphrase")]
    NeedsPassphrase,
    /// A passphrase of no letters protects nothing.
    #[error("口令为空：请设置口令，或不加密 / the passphrase is empty: choose one, or do not encrypt")]
    EmptyPassphrase,
    /// The passphrase does not open the key, or the encrypted bytes are damaged.
    #[error("口令错误，或文件已损坏 / wrong passphrase, or the file is damaged")]
    WrongPassphrase,
    /// Encrypted in a way that is not supported.
    #[error(
        "不支持加密算法 {0}：请用 openssl pkcs8 -topk8 -v2 sm4-cbc 重新加密 / \
         encryption algorithm {0} is not supported: encrypt again by openssl pkcs8 -topk8 -v2 sm4-cbc"
    )]
    Encryption(ObjectIdentifier),
    /// More rounds of key derivation than [`super::ITERATIONS_MAX`], or none.
    #[error("口令派生次数 {0} 超出范围 / the number of key derivation rounds, {0}, is out of range")]
    Iterations(u32),
}
