//! Whether the nodes of this machine are connected with each other, as the system lists its connections.
//!
//! A node takes transactions before its peers have reached it, but the first ones would then wait for leaders that
//! nobody hears.

use std::fs;

/// Where Linux lists connections.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];
/// State of a connection that is established.
const ESTABLISHED: &str = "01";

/// Whether there is a connection for each pair of the nodes that listen for peers on these ports. Yes where the system
/// does not tell.
pub(super) fn is_complete(ports: &[u16]) -> bool {
    let tables: Vec<String> = TABLES.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    let pairs = ports.len() * ports.len().saturating_sub(1) / 2;
    tables.is_empty() || tables.iter().map(|table| accepted(table, ports)).sum::<usize>() >= pairs
}

/// Connections that were accepted on one of the ports; the other end has a port of its own.
fn accepted(table: &str, ports: &[u16]) -> usize {
    let of = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, _, state) = (fields.next()?, fields.next()?, fields.next()?);
        let port = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()?;
        (state == ESTABLISHED).then_some(port)
    };
    let found = table.lines().skip(1).filter_map(of);
    found.filter(|port| ports.contains(port)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn lines_of_the_table_are_read_by_port_and_state() {
        // 46B4 is 18100, 46B5 is 18101; 0A is a listener.
        let table = "  sl  local_address rem_address   st tx_queue\n\
             0: 0100007F:46B4 00000000:0000 0A 0:0\n\
             1: 0100007F:46B4 0100007F:C350 01 0:0\n\
             2: 0100007F:C350 0100007F:46B4 01 0:0\n\
             3: 0100007F:46B5 0100007F:C351 06 0:0\n\
             broken\n";
        assert_eq!(accepted(table, &[18100, 18101]), 1);
        assert_eq!(accepted(table, &[18102]), 0);
    }

    #[test]
    fn a_pair_is_connected_when_one_has_reached_the_other() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ports = [address.port(), 1];
        if fs::exists(TABLES[0]).unwrap_or(false) {
            assert!(!is_complete(&ports));
        }
        let _dialled = TcpStream::connect(address).unwrap();
        let _accepted = listener.accept().unwrap();
        assert!(is_complete(&ports));
        assert!(is_complete(&[1]), "a single node has nobody to meet");
    }
}
