//! Scenarios of the native modules, on a chain of four member organisations.

mod account;
mod catalogue;
mod evidence;
mod model;
mod nodes;
mod organisations;
mod proposals;
mod settings;
mod threads;
mod validators;
mod world;
