//! Tests of the client against nodes without consensus, over real sockets.

mod calls;
mod evidence;
mod follow;
mod fork;
mod hostile;
mod links;
mod proofs;
mod reads;
mod relay;
mod submit;
mod world;
