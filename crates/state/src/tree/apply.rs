//! The next version of a tree.

use super::{
    CHANGES_AT_ONCE, Change,
    bucket::{Bucket, Leaves},
    cold::Cold,
    merged::{Edit, Kind, Merged},
    node::{Inner, Link, Node},
    plan::{Part, Plan},
    spread,
    warm::{WINDOW, warm},
};
use crate::{BUCKET_LEAVES_MAX, Path, workers::Workers};
use yulian_crypto::Digest;

/// The work on one list of changes.
#[derive(Default)]
pub(super) struct Applying<'a> {
    plan: Plan<'a>,
    edits: Vec<Edit>,
    merged: Merged,
    added: usize,
    removed: usize,
    /// What stood at each changed path, if somebody asks for it. Paths come in order, as the work goes by path.
    before: Option<Vec<Change>>,
}

/// What became of a subtree.
pub(super) enum Next {
    Same,
    Changed(Option<Link>),
}

/// What became of one of the subtrees that are worked on by themselves.
pub(super) struct Piece {
    pub(super) next: Next,
    pub(super) added: usize,
    pub(super) removed: usize,
    pub(super) before: Option<Vec<Change>>,
}

impl<'a> Applying<'a> {
    /// Work that has not begun; what was there before is collected in `before`, if somebody asks for it.
    pub(super) fn new(before: Option<Vec<Change>>) -> Self {
        Self {
            before,
            ..Self::default()
        }
    }

    /// Works on one subtree, whose paths share their first `shared` bits with all changes.
    pub(super) fn piece(mut self, link: &'a Link, changes: &[Change], shared: u8) -> Piece {
        let next = self.wide(link, changes, shared);
        Piece {
            next,
            added: self.added,
            removed: self.removed,
            before: self.before,
        }
    }

    fn run(mut self, root: Option<&'a Link>, changes: &[Change]) -> Applied {
        let next = match root {
            Some(root) => self.wide(root, changes, 0),
            None => Next::Changed(self.fresh(changes).and_then(|part| self.plan.finish(part))),
        };
        Applied {
            root: match next {
                Next::Same => root.cloned(),
                Next::Changed(root) => root,
            },
            added: self.added,
            removed: self.removed,
            before: self.before,
        }
    }

    /// The subtree after any number of changes, a window of them after the other: their work then stays in the nearest
    /// caches, and all but the few nodes above the windows are hashed side by side.
    fn wide(&mut self, link: &'a Link, changes: &[Change], shared: u8) -> Next {
        match &link.node {
            Node::Inner(inner) if changes.len() > WINDOW && under(link, inner, changes, shared) => {
                let (left, right) = split(changes, inner.depth);
                let below = inner.depth.saturating_add(1);
                let left = self.wide(&inner.left, left, below);
                let right = self.wide(&inner.right, right, below);
                rejoin(inner, left, right)
            }
            _ => self.window(link, changes, shared),
        }
    }

    fn window(&mut self, link: &'a Link, changes: &[Change], shared: u8) -> Next {
        warm(link, changes, |(path, _)| path);
        match self.subtree(link, changes, shared) {
            Some(part) if part.is(link) => Next::Same,
            Some(part) => Next::Changed(self.plan.finish(part)),
            None => Next::Changed(None),
        }
    }

    /// The subtree after `changes`, which share with it at least the first `shared` bits.
    fn subtree(&mut self, link: &'a Link, changes: &[Change], shared: u8) -> Option<Part<'a>> {
        if changes.is_empty() {
            return Some(Part::Old(link));
        }
        match &link.node {
            Node::Bucket(bucket) => match bucket.as_cold() {
                None => self.bucket(link, bucket, changes),
                Some(cold) => self.cold(link, &cold, changes),
            },
            Node::Inner(inner) => self.inner(link, inner, changes, shared),
        }
    }

    fn inner(&mut self, link: &'a Link, inner: &'a Inner, changes: &[Change], shared: u8) -> Option<Part<'a>> {
        if !under(link, inner, changes, shared) {
            return self.beside(link, changes);
        }
        let (left, right) = split(changes, inner.depth);
        let below = inner.depth.saturating_add(1);
        let new_left = self.subtree(&inner.left, left, below);
        let new_right = self.subtree(&inner.right, right, below);
        let same = |part: &Option<Part<'a>>, old| part.is_some_and(|part| part.is(old));
        // Without an effect the old parts stay, so that versions share them.
        if same(&new_left, &inner.left) && same(&new_right, &inner.right) {
            return Some(Part::Old(link));
        }
        self.plan.join(inner.depth, new_left, new_right)
    }

    /// Changes beside leaves that are not in memory.
    fn cold(&mut self, link: &'a Link, cold: &Cold, changes: &[Change]) -> Option<Part<'a>> {
        assert!(
            u16::from(common_bits(changes, &cold.first)) < u16::from(cold.bits),
            "leaves that change but are not in memory were not brought"
        );
        self.beside(link, changes)
    }

    /// Some changes part from the subtree above its top: there one side has it, and one does not.
    fn beside(&mut self, link: &'a Link, changes: &[Change]) -> Option<Part<'a>> {
        let here = link.first_path();
        let depth = common_bits(changes, &here);
        let (left, right) = split(changes, depth);
        let below = depth.saturating_add(1);
        let (left, right) = if here.bit(depth) {
            (self.fresh(left), self.subtree(link, right, below))
        } else {
            (self.subtree(link, left, below), self.fresh(right))
        };
        self.plan.join(depth, left, right)
    }

    fn fresh(&mut self, changes: &[Change]) -> Option<Part<'a>> {
        self.merged.clear();
        for (path, value) in changes {
            if let Some(value) = value {
                self.merged.push(path, *value);
                self.replaces(path, None);
            }
        }
        self.added += self.merged.len();
        self.merged_part()
    }

    fn bucket(&mut self, link: &'a Link, bucket: &Bucket, changes: &[Change]) -> Option<Part<'a>> {
        self.find_edits(bucket.leaves(), changes);
        if self.edits.is_empty() {
            return Some(Part::Old(link));
        }
        if self.edits.iter().all(|edit| matches!(edit.kind, Kind::Overwrite(_))) {
            return Some(self.overwrite(bucket));
        }
        self.merged.merge(bucket.leaves(), &self.edits);
        self.merged_part()
    }

    fn find_edits(&mut self, leaves: Leaves<'_>, changes: &[Change]) {
        self.edits.clear();
        for (path, value) in changes {
            let (at, kind) = match (leaves.find(path), value) {
                (Ok(at), Some(value)) if leaves.values[at] == *value => continue,
                (Ok(at), Some(value)) => (at, Kind::Overwrite(*value)),
                (Ok(at), None) => (at, Kind::Remove),
                (Err(at), Some(value)) => (at, Kind::Insert(*path, *value)),
                (Err(_), None) => continue,
            };
            self.replaces(path, (!matches!(kind, Kind::Insert(..))).then(|| leaves.values[at]));
            self.added += usize::from(matches!(kind, Kind::Insert(..)));
            self.removed += usize::from(kind == Kind::Remove);
            self.edits.push(Edit { at, kind });
        }
    }

    fn replaces(&mut self, path: &Path, value: Option<Digest>) {
        if let Some(before) = &mut self.before {
            before.push((*path, value));
        }
    }

    /// Most changes are of this kind: the bucket keeps its shape, and only the nodes above the leaves are renewed.
    fn overwrite(&mut self, bucket: &Bucket) -> Part<'a> {
        let mut next = bucket.copy();
        let mut changed = [false; BUCKET_LEAVES_MAX];
        if let Some((values, _)) = next.edit() {
            for edit in &self.edits {
                if let Kind::Overwrite(value) = edit.kind {
                    values[edit.at] = value;
                    changed[edit.at] = true;
                }
            }
        }
        let len = next.len();
        self.plan.bucket(next, &changed[..len])
    }

    fn merged_part(&mut self) -> Option<Part<'a>> {
        if self.merged.len() == 0 {
            return None;
        }
        let (leaves, changed) = self.merged.leaves();
        Some(self.plan.subtree(leaves, changed))
    }
}

/// The node of two sides of which some have changed.
pub(super) fn rejoin(inner: &Inner, left: Next, right: Next) -> Next {
    let (left, right) = match (left, right) {
        (Next::Same, Next::Same) => return Next::Same,
        (Next::Changed(left), Next::Same) => (left, Some(inner.right.clone())),
        (Next::Same, Next::Changed(right)) => (Some(inner.left.clone()), right),
        (Next::Changed(left), Next::Changed(right)) => (left, right),
    };
    Next::Changed(join(inner.depth, left.as_ref(), right.as_ref()))
}

/// The subtree of two sides that differ at `depth`, or the one side there is.
pub(super) fn join(depth: u8, left: Option<&Link>, right: Option<&Link>) -> Option<Link> {
    let mut plan = Plan::default();
    let part = plan.join(depth, left.map(Part::Old), right.map(Part::Old))?;
    plan.finish(part)
}

/// What became of a tree.
#[derive(Default)]
pub(super) struct Applied {
    pub(super) root: Option<Link>,
    pub(super) added: usize,
    pub(super) removed: usize,
    /// Each path that changed with what stood there, in order, if that was asked for.
    pub(super) before: Option<Vec<Change>>,
}

/// The tree of `root` after changes in strictly ascending order of path; `undo` asks for what was there before. Many changes
/// are divided among the threads; the result is the same.
///
/// # Panics
/// If the order is not strictly ascending.
pub(super) fn apply(root: Option<&Link>, changes: &[Change], undo: bool, workers: &dyn Workers) -> Applied {
    assert!(
        changes.windows(2).all(|pair| pair[0].0 < pair[1].0),
        "changes to the state come sorted and without duplicates"
    );
    let mut all = Applied {
        root: root.cloned(),
        before: undo.then(|| Vec::with_capacity(changes.len())),
        ..Applied::default()
    };
    for some in changes.chunks(CHANGES_AT_ONCE) {
        let before = all.before.take();
        let next = match &all.root {
            Some(root) if workers.threads() > 1 && some.len() > WINDOW => spread::run(root, some, before, workers),
            root => Applying::new(before).run(root.as_ref(), some),
        };
        all.added += next.added;
        all.removed += next.removed;
        (all.root, all.before) = (next.root, next.before);
    }
    all
}

/// Whether all changes, which share with the subtree at least the first `shared` bits, belong below its top node.
pub(super) fn under(link: &Link, inner: &Inner, changes: &[Change], shared: u8) -> bool {
    inner.depth <= shared || common_bits(changes, &link.first_path()) >= inner.depth
}

/// The changes whose bit at `depth` is 0, and those whose bit is 1; all agree in the bits before.
pub(super) fn split(changes: &[Change], depth: u8) -> (&[Change], &[Change]) {
    changes.split_at(changes.partition_point(|(path, _)| !path.bit(depth)))
}

/// The number of leading bits that all changes share with `path`, at most 255. As they are sorted, the outer
/// ones decide.
fn common_bits(changes: &[Change], path: &Path) -> u8 {
    let outer = [changes.first(), changes.last()].into_iter().flatten();
    let common = outer.map(|(other, _)| other.common_bits(path)).min();
    common.unwrap_or(0).min(255) as u8
}
