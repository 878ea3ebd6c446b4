//! Scenarios of the native modules, on a chain of four member organisations.

mod account;
mod catalogue;
mod chain;
mod evidence;
mod model;
mod nodes;
mod organisations;
mod proposals;
mod settings;
mod validators;
mod world;
