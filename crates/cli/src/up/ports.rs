//! Whether the ports of a network are free.

use crate::{
    network::record::Record,
    problem::{Cause, Result},
    text::problem,
};
use std::net::TcpListener;

/// Binds every port for a moment. Refuses the first one that is taken, by name.
pub(crate) fn check(record: &Record) -> Result<()> {
    for node in &record.nodes {
        for address in [&node.api, &node.peer] {
            TcpListener::bind(address).or_problem(|| problem::port_in_use(address, &node.name))?;
        }
    }
    Ok(())
}
