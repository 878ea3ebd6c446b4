//! Dropping a version.

use super::{
    Tree,
    node::{Link, Node},
};
use std::{hint::black_box, sync::Arc};

/// Parts that are dropped side by side.
const GROUP: usize = 32;

impl Drop for Tree {
    /// Frees the parts that no other version has.
    ///
    /// Every part has to be looked at to know whether it is the last of its kind, and most lie in memory that nobody has
    /// touched for long: a group of them is looked at before the first is given up, so that the processor waits for
    /// all of them at a time.
    fn drop(&mut self) {
        let Some(Link { node, .. }) = self.root.take() else {
            return;
        };
        if node.owners() > 1 {
            return;
        }
        let (mut rest, mut group) = (vec![node], Vec::with_capacity(GROUP));
        while !rest.is_empty() {
            group.extend(rest.drain(rest.len().saturating_sub(GROUP)..));
            let owners = group.iter().map(Node::owners);
            black_box(owners.fold(0, |all, owners| all ^ owners));
            for node in group.drain(..) {
                give_up(node, &mut rest);
            }
        }
    }
}

/// The sides of a node that was the last of its kind are to be dropped next. So nothing here recurses.
fn give_up(node: Node, rest: &mut Vec<Node>) {
    if let Node::Inner(inner) = node
        && let Some(inner) = Arc::into_inner(inner)
    {
        rest.push(inner.left.node);
        rest.push(inner.right.node);
    }
}
