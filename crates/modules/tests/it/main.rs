//! Scenarios of the native modules, on a chain of four member organisations.

mod account;
mod catalogue;
mod chain;
mod chain_set;
mod evidence;
mod fusion;
mod links;
mod membership;
mod model;
mod net;
mod nodes;
mod organisations;
mod packets;
mod proposals;
mod risk;
mod settings;
mod threads;
mod validators;
mod vouchers;
mod world;
