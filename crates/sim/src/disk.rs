//! The node's store over a simulated disk.

use std::io;
use yulian_engine::{
    Fatal,
    simulated::{SimContext, SimFile},
};
use yulian_store::LogFile;

/// The log file of a simulated node's store.
#[derive(Debug)]
pub(crate) struct SimLog(SimFile);

impl SimLog {
    /// Opens or creates a log; `name` tells those of machines and chains apart.
    pub(crate) async fn open(context: &SimContext, name: &str) -> Result<Self, Fatal> {
        SimFile::open(context, &format!("{name}-ledger"), "log").await.map(Self)
    }
}

fn other(fatal: Fatal) -> io::Error {
    io::Error::other(fatal.0)
}

impl LogFile for SimLog {
    async fn read_all(&self) -> io::Result<Vec<u8>> {
        self.0.read_all().await.map_err(other)
    }

    async fn write_at(&self, offset: u64, bytes: Vec<u8>) -> io::Result<()> {
        self.0.write_at(offset, bytes).await.map_err(other)
    }

    async fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.truncate(length).await.map_err(other)
    }

    async fn sync(&self) -> io::Result<()> {
        self.0.sync().await.map_err(other)
    }
}
