//! The next version of a tree.

use super::{
    BUCKET_LEAVES_MAX, Change,
    build::Builder,
    node::{Entry, Inner, Link, Node, top_gap},
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
    merged: Merged,
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
        self.merge(&[], updates);
        for entry in &self.merged.entries {
            self.builder.push(*entry, true);
        }
        self.builder.finish()
    }

    fn bucket(&mut self, entries: &[Entry], updates: &[Update]) -> Option<Link> {
        self.merge(entries, updates);
        let merged = &mut self.merged;
        if merged.entries.len() <= BUCKET_LEAVES_MAX {
            return merged.bucket();
        }
        for (entry, changed) in merged.entries.iter().zip(&merged.changed) {
            self.builder.push(*entry, *changed);
        }
        self.builder.finish()
    }

    /// Brings the two sorted lists together.
    fn merge(&mut self, entries: &[Entry], updates: &[Update]) {
        self.merged.clear();
        let mut updates = updates.iter().peekable();
        let mut removed_before = false;
        for entry in entries {
            while let Some(update) = updates.next_if(|update| update.path < entry.path) {
                self.added += usize::from(self.merged.set(update));
            }
            let Some(update) = updates.next_if(|update| update.path == entry.path) else {
                self.merged.add(*entry, removed_before);
                removed_before = false;
                continue;
            };
            if !self.merged.set(update) {
                self.removed += 1;
                self.merged.touch_last();
                removed_before = true;
            }
        }
        for update in updates {
            self.added += usize::from(self.merged.set(update));
        }
    }
}

/// Leaves of one bucket with its updates. A hash that stood above old leaves is still right unless a leaf under it
/// is new or has changed, or stands next to one that was removed: those are marked.
#[derive(Default)]
struct Merged {
    entries: Vec<Entry>,
    changed: Vec<bool>,
}

impl Merged {
    fn clear(&mut self) {
        self.entries.clear();
        self.changed.clear();
    }

    fn add(&mut self, entry: Entry, changed: bool) {
        if let (Some(last), Some(last_changed)) = (self.entries.last_mut(), self.changed.last())
            && (changed || *last_changed)
        {
            // Sorted and without duplicates: two paths have at most 255 bits in common.
            last.depth = last.path.common_bits(&entry.path) as u8;
        }
        self.entries.push(entry);
        self.changed.push(changed);
    }

    /// Adds the leaf of an update; whether it has one.
    fn set(&mut self, update: &Update) -> bool {
        let Some(leaf) = &update.set else {
            return false;
        };
        self.add(Entry::new(update.path, leaf.value, leaf.hash), true);
        true
    }

    fn touch_last(&mut self) {
        if let Some(changed) = self.changed.last_mut() {
            *changed = true;
        }
    }

    fn bucket(&mut self) -> Option<Link> {
        if self.entries.is_empty() {
            return None;
        }
        let hash = rehash(&mut self.entries, &self.changed);
        let node = Node::Bucket(self.entries[..].into());
        Some(Link { hash, node })
    }
}

/// The hash of a range of leaves, after renewing those inside it that have changed.
fn rehash(range: &mut [Entry], changed: &[bool]) -> Digest {
    if let [only] = range {
        return only.leaf;
    }
    let gap = top_gap(range);
    if changed.contains(&true) {
        let (left, right) = range.split_at_mut(gap + 1);
        let (left_changed, right_changed) = changed.split_at(gap + 1);
        let left = rehash(left, left_changed);
        let right = rehash(right, right_changed);
        range[gap].inner = hash::node(&left, &right, range[gap].depth);
    }
    range[gap].inner
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
