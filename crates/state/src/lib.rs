//! Authenticated key-value state: a persistent SM3 tree with proofs of presence and absence. No IO.
