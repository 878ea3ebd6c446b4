//! Bringing parts into the processor's caches before they are needed.

use super::node::{Link, Node};
use crate::Path;
use std::hint::black_box;

/// Changes that are followed side by side. What they lead to should fit into the nearest two caches.
pub(crate) const WINDOW: usize = 128;

/// Touches what `changes` lead to below `link`.
///
/// Going down for one change after the other waits for memory at every level. Here each step of one change is followed
/// by the same step of the others, so that the processor waits for many of them at a time. Nothing depends on it.
pub(super) fn warm<T>(link: &Link, changes: &[T], path: impl Fn(&T) -> &Path) {
    let mut here = [link; WINDOW];
    let count = changes.len().min(WINDOW);
    if count < 2 {
        return;
    }
    let mut touched = 0;
    loop {
        let mut deeper = false;
        for (link, change) in here[..count].iter_mut().zip(changes) {
            let Node::Inner(inner) = &link.node else {
                continue;
            };
            deeper = true;
            let (taken, other) = if path(change).bit(inner.depth) {
                (&inner.right, &inner.left)
            } else {
                (&inner.left, &inner.right)
            };
            // The other side gets one more owner.
            touched ^= other.node.owners();
            *link = taken;
        }
        if !deeper {
            break;
        }
    }
    for link in &here[..count] {
        if let Node::Bucket(bucket) = &link.node {
            touched ^= bucket.touch();
        }
    }
    black_box(touched);
}
