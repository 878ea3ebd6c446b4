//! Scenarios of block execution.
