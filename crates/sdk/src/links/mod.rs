//! What stands in chains' states about what they say to each other: links, packets, routes, vouchers, notices. Typed, as the node
//! says; whoever needs proof asks for the same key with [`Chain::state`](crate::Chain::state).

mod agreed;
mod packets;
mod routes;
mod vouchers;

pub use self::{
    packets::{Journey, OpenPackets, PacketName},
    routes::deciding_route,
    vouchers::{Books, Holding},
};
