//! The next version of a tree.

use super::{
    Change,
    build::Builder,
    node::{Entry, Inner, Link, Node},
};
use crate::{Path, hash};
use yulian_crypto::Digest;

/// A change with the hash of its new leaf.
struct Update {
    path: Path,
    set: Option<Leaf>,
}

struct Leaf {
    value: Digest,
    hash: Digest,
}

/// The work on one list of changes.
#[derive(Default)]
pub(super) struct Applying {
    builder: Builder,
    pub(super) added: usize,
    pub(super) removed: usize,
}

impl Applying {
    pub(super) fn run(&mut self, root: Option<&Link>, changes: &[Change]) -> Option<Link> {
        let updates: Vec<Update> = changes.iter().map(Update::new).collect();
        match root {
            Some(root) => self.subtree(root, &updates, 0),
            None => self.fresh(&updates),
        }
    }

    /// The subtree after `updates`, which share with it at least the first `shared` bits.
    fn subtree(&mut self, link: &Link, updates: &[Update], shared: u8) -> Option<Link> {
        if updates.is_empty() {
            return Some(link.clone());
        }
        let changed = match &link.node {
            Node::Bucket(entries) => self.bucket(entries, updates),
            Node::Inner(inner) => self.inner(link, inner, updates, shared),
        };
        // Without an effect the old parts stay, so that versions share them.
        if link.is(changed.as_ref()) {
            return Some(link.clone());
        }
        changed
    }

    fn inner(&mut self, link: &Link, inner: &Inner, updates: &[Update], shared: u8) -> Option<Link> {
        if inner.depth > shared {
            let here = link.first_path();
            let common = common_bits(updates, here);
            if common < inner.depth {
                return self.beside(link, here, updates, common);
            }
        }
        let (left, right) = split(updates, inner.depth);
        let below = inner.depth.saturating_add(1);
        let new_left = self.subtree(&inner.left, left, below);
        let new_right = self.subtree(&inner.right, right, below);
        if inner.left.is(new_left.as_ref()) && inner.right.is(new_right.as_ref()) {
            return Some(link.clone());
        }
        Link::join(inner.depth, new_left, new_right)
    }

    /// Some updates part from the subtree above its top: at `depth` there is one side with and one without it.
    fn beside(&mut self, link: &Link, here: &Path, updates: &[Update], depth: u8) -> Option<Link> {
        let (left, right) = split(updates, depth);
        let below = depth.saturating_add(1);
        let (left, right) = if here.bit(depth) {
            (self.fresh(left), self.subtree(link, right, below))
        } else {
            (self.subtree(link, left, below), self.fresh(right))
        };
        Link::join(depth, left, right)
    }

    fn fresh(&mut self, updates: &[Update]) -> Option<Link> {
        for update in updates {
            self.insert(update);
        }
        self.builder.finish()
    }

    /// Merges the two sorted lists. A hash above old leaves stays valid unless a leaf under it is new, changed or next
    /// to one that was removed.
    fn bucket(&mut self, entries: &[Entry], updates: &[Update]) -> Option<Link> {
        let mut updates = updates.iter().peekable();
        let mut removed_before = false;
        for entry in entries {
            while let Some(update) = updates.next_if(|update| update.path < entry.path) {
                removed_before &= !self.insert(update);
            }
            let Some(update) = updates.next_if(|update| update.path == entry.path) else {
                self.builder.push(*entry, removed_before);
                removed_before = false;
                continue;
            };
            match &update.set {
                Some(leaf) => {
                    self.builder.push(leaf.entry(update.path), true);
                    removed_before = false;
                }
                None => {
                    self.removed += 1;
                    self.builder.touch_last();
                    removed_before = true;
                }
            }
        }
        for update in updates {
            self.insert(update);
        }
        self.builder.finish()
    }

    /// Adds the leaf of an update to a path that has none; whether there was a leaf to add.
    fn insert(&mut self, update: &Update) -> bool {
        let Some(leaf) = &update.set else {
            return false;
        };
        self.builder.push(leaf.entry(update.path), true);
        self.added += 1;
        true
    }
}

impl Update {
    fn new((path, value): &Change) -> Self {
        let leaf = |value: Digest| Leaf {
            value,
            hash: hash::leaf(path, &value),
        };
        Self {
            path: *path,
            set: value.map(leaf),
        }
    }
}

impl Leaf {
    fn entry(&self, path: Path) -> Entry {
        Entry::new(path, self.value, self.hash)
    }
}

/// The updates whose bit at `depth` is 0, and those whose bit is 1; all agree in the bits before.
fn split(updates: &[Update], depth: u8) -> (&[Update], &[Update]) {
    updates.split_at(updates.partition_point(|update| !update.path.bit(depth)))
}

/// The number of leading bits that all updates share with `path`, at most 255. As they are sorted, the outer
/// ones decide.
fn common_bits(updates: &[Update], path: &Path) -> u8 {
    let outer = [updates.first(), updates.last()].into_iter().flatten();
    let common = outer.map(|update| update.path.common_bits(path)).min();
    common.unwrap_or(0).min(255) as u8
}
