//! What an act would change, worked out before anything is written.

use bytes::Bytes;
use prost::Message;
use yulian_exec::{Call, Failure};
use yulian_types::{StateKey, encode};

/// Writes in the order in which they are made.
#[derive(Debug, Default)]
pub(crate) struct Effect(Vec<(StateKey, Option<Bytes>)>);

impl Effect {
    pub(crate) fn put(&mut self, key: StateKey, value: Bytes) {
        self.0.push((key, Some(value)));
    }

    pub(crate) fn record(&mut self, key: StateKey, record: &impl Message) {
        self.put(key, encode(record));
    }

    pub(crate) fn delete(&mut self, key: StateKey) {
        self.0.push((key, None));
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn write(self, call: &mut Call<'_>) -> Result<(), Failure> {
        for (key, value) in self.0 {
            match value {
                Some(value) => call.put(&key, value)?,
                None => call.delete(&key)?,
            }
        }
        Ok(())
    }
}
