//! The next version of a tree, made by several threads: each takes subtrees that have nothing in common.

use super::{
    Change,
    apply::{Applied, Applying, Next, rejoin, split, under},
    node::{Inner, Link, Node},
    warm::WINDOW,
};
use crate::workers::{self, Workers};

/// Subtrees for each thread: so that one with few changes does not leave its thread idle for long.
const PIECES_PER_THREAD: usize = 4;

/// The upper nodes that were divided, and below them pieces by number, from left to right.
enum Frame<'a> {
    Piece,
    Node(&'a Inner, Box<Frame<'a>>, Box<Frame<'a>>),
}

type Piece<'a, 'c> = (&'a Link, &'c [Change], u8);

/// Divides a subtree until each piece has at most `few` changes, or no more than are worked on together anyway.
fn divide<'a, 'c>(piece: Piece<'a, 'c>, few: usize, pieces: &mut Vec<Piece<'a, 'c>>) -> Frame<'a> {
    let (link, changes, shared) = piece;
    match &link.node {
        Node::Inner(inner) if changes.len() > few && under(link, inner, changes, shared) => {
            let (left, right) = split(changes, inner.depth);
            let below = inner.depth.saturating_add(1);
            let left = divide((&inner.left, left, below), few, pieces);
            let right = divide((&inner.right, right, below), few, pieces);
            Frame::Node(inner, Box::new(left), Box::new(right))
        }
        _ => {
            pieces.push(piece);
            Frame::Piece
        }
    }
}

fn reunite(frame: &Frame<'_>, done: &mut impl Iterator<Item = Next>) -> Next {
    match frame {
        Frame::Piece => done.next().unwrap_or(Next::Same),
        Frame::Node(inner, left, right) => {
            let left = reunite(left, done);
            let right = reunite(right, done);
            rejoin(inner, left, right)
        }
    }
}

/// The tree of `root` after changes in ascending order; `before` takes what was there.
pub(super) fn run(
    root: &Link,
    changes: &[Change],
    mut before: Option<Vec<crate::Change>>,
    on: &dyn Workers,
) -> Applied {
    let few = changes
        .len()
        .div_ceil(on.threads().max(1) * PIECES_PER_THREAD)
        .max(WINDOW);
    let mut pieces = Vec::new();
    let frame = divide((root, changes, 0), few, &mut pieces);
    let undo = before.is_some();
    let done = workers::map(on, pieces.len(), |at| {
        let (link, changes, shared) = pieces[at];
        Applying::new(undo.then(|| Vec::with_capacity(changes.len()))).piece(link, changes, shared)
    });
    let (mut added, mut removed) = (0, 0);
    let mut nexts = Vec::with_capacity(done.len());
    for piece in done {
        added += piece.added;
        removed += piece.removed;
        if let (Some(all), Some(some)) = (&mut before, piece.before) {
            all.extend(some);
        }
        nexts.push(piece.next);
    }
    let root = match reunite(&frame, &mut nexts.into_iter()) {
        Next::Same => Some(root.clone()),
        Next::Changed(next) => next,
    };
    Applied {
        root,
        added,
        removed,
        before,
    }
}
