//! A module that does what its arguments say, to provoke every rule of the executor.

use bytes::Bytes;
use yulian_exec::{Call, Code, Failure, Method, Module, codes, rules};
use yulian_types::StateKey;

pub(crate) const TOY_ID: u32 = 99;

yulian_exec::codes! {
    REFUSED = "toy.refused" { "拒绝", "无", "refused", "none" }
}

pub(crate) struct Toy;

const WRITER: &[&str] = &[rules::ROLE_WRITER];

const METHODS: &[Method] = &[
    Method {
        name: "write",
        roles: WRITER,
        doc: "Performs encoded writes.",
    },
    Method {
        name: "write_and_fail",
        roles: WRITER,
        doc: "Writes, then refuses.",
    },
    Method {
        name: "ignore",
        roles: WRITER,
        doc: "Writes and ignores every failure of the view.",
    },
    Method {
        name: "append",
        roles: WRITER,
        doc: "Appends to a value what it reads there.",
    },
    Method {
        name: "tally",
        roles: WRITER,
        doc: "Like append, with a key of four bytes, and says beforehand that it reads it.",
    },
    Method {
        name: "read",
        roles: WRITER,
        doc: "Reads one key as often as asked.",
    },
    Method {
        name: "read_many",
        roles: WRITER,
        doc: "Reads as many keys as asked and counts the values.",
    },
    Method {
        name: "events",
        roles: WRITER,
        doc: "Emits events of a size.",
    },
    Method {
        name: "output",
        roles: WRITER,
        doc: "Answers with bytes.",
    },
    Method {
        name: "long_key",
        roles: WRITER,
        doc: "Reads a key that is too long.",
    },
    Method {
        name: "context",
        roles: &[],
        doc: "Answers with what it sees of the block.",
    },
    Method {
        name: "decode",
        roles: &[],
        doc: "Decodes its arguments as an account.",
    },
];

impl Module for Toy {
    fn id(&self) -> u32 {
        TOY_ID
    }

    fn name(&self) -> &'static str {
        "toy"
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn expected_key(&self, method: &str, arguments: &Bytes, _: &yulian_types::proto::Account) -> Option<StateKey> {
        (method == "tally").then(|| toy_key(&arguments[..4]))
    }

    fn call(&self, call: &mut Call<'_>, method: &str, arguments: &Bytes) -> Result<Bytes, Failure> {
        match method {
            "write" => write(call, arguments)?,
            "write_and_fail" => {
                write(call, arguments)?;
                call.emit("tried", Bytes::new())?;
                return Err(Failure::new(&REFUSED, "字".repeat(400)));
            }
            "ignore" => {
                let _ = write(call, arguments);
            }
            "append" => return append(call, arguments.split_at(1)),
            "tally" => return append(call, arguments.split_at(4)),
            "read" => {
                for _ in 0..number(arguments) {
                    call.get(&toy_key(b"r"))?;
                }
            }
            "read_many" => {
                let mut found = 0u32;
                for at in 0..arguments[0] {
                    found += u32::from(call.get(&toy_key(&[0, at]))?.is_some());
                }
                return Ok(found.to_be_bytes().to_vec().into());
            }
            "events" => {
                let bytes = Bytes::from(vec![1; usize::from(arguments[1]) * 64]);
                for _ in 0..arguments[0] {
                    call.emit("bang", bytes.clone())?;
                }
            }
            "output" => return Ok(vec![7; number(arguments)].into()),
            "long_key" => {
                call.get(&toy_key(&[0; 300]))?;
            }
            "context" => return Ok(context(call)),
            _ => {
                call.decode::<yulian_types::proto::Account>(arguments)?;
            }
        }
        Ok(Bytes::new())
    }
}

fn append(call: &mut Call<'_>, (key, more): (&[u8], &[u8])) -> Result<Bytes, Failure> {
    let mut value = call.get(&toy_key(key))?.unwrap_or_default().to_vec();
    value.extend_from_slice(more);
    call.put(&toy_key(key), value.clone().into())?;
    Ok(value.into())
}

fn number(arguments: &[u8]) -> usize {
    arguments.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

fn context(call: &Call<'_>) -> Bytes {
    let block = call.block();
    let mut text = format!(
        "{} {} {} {}",
        block.height,
        block.time_ms,
        block.epoch,
        call.organisation().id
    );
    for back in [0, 1, 2, 256, 257] {
        let digest = block.height.checked_sub(back).and_then(|height| block.ancestor(height));
        text += &format!(" {}", digest.map_or("-".into(), |digest| digest.to_string()));
    }
    text.into()
}

pub(crate) fn toy_key(key: &[u8]) -> StateKey {
    StateKey {
        module_id: TOY_ID,
        key: Bytes::copy_from_slice(key),
    }
}

/// One write of the `write` methods: module id, key, value; no value = remove.
pub(crate) fn encode_writes(writes: &[(StateKey, Option<Vec<u8>>)]) -> Bytes {
    let mut out = Vec::new();
    for (key, value) in writes {
        out.extend(key.module_id.to_be_bytes());
        out.push(key.key.len() as u8);
        out.extend_from_slice(&key.key);
        out.push(u8::from(value.is_some()));
        out.extend((value.as_ref().map_or(0, Vec::len) as u32).to_be_bytes());
        out.extend(value.iter().flatten());
    }
    out.into()
}

fn write(call: &mut Call<'_>, mut bytes: &[u8]) -> Result<(), Failure> {
    fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], Failure> {
        let (taken, rest) = bytes
            .split_at_checked(count)
            .ok_or(Failure::from(&codes::BAD_ARGUMENTS))?;
        *bytes = rest;
        Ok(taken)
    }
    while !bytes.is_empty() {
        let module_id = number(take(&mut bytes, 4)?) as u32;
        let length = number(take(&mut bytes, 1)?);
        let key = StateKey {
            module_id,
            key: Bytes::copy_from_slice(take(&mut bytes, length)?),
        };
        let present = take(&mut bytes, 1)?[0] == 1;
        let length = number(take(&mut bytes, 4)?);
        let value = Bytes::copy_from_slice(take(&mut bytes, length)?);
        if present {
            call.put(&key, value)?
        } else {
            call.delete(&key)?
        }
    }
    Ok(())
}
