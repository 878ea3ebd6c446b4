//! Scenarios of the native modules.
