//! Whatever the history, root, length and look-ups are those of the set of keys.

use crate::reference::{Model, batches, changes, fixed, follow, from_sorted, path, root, shape};
use proptest::prelude::*;
use yulian_crypto::Digest;
use yulian_state::{Change, Path, Tree};

fn agree(tree: &Tree, model: &Model) {
    assert_eq!(tree.root(), root(model));
    assert_eq!(tree.len(), model.len());
    assert_eq!(tree.is_empty(), model.is_empty());
    for (path, value) in model {
        assert_eq!(tree.get(&Path::from_bytes(*path)), Some(Digest(*value)));
    }
}

proptest! {
    #![proptest_config(fixed(400))]

    #[test]
    fn every_version_has_the_root_of_the_definition(
        shape in shape(),
        batches in batches(600, 40, 400),
    ) {
        let (mut tree, mut model) = (Tree::new(), Model::new());
        for batch in &batches {
            let changes = changes(batch, shape);
            tree = tree.apply(&changes);
            follow(&mut model, &changes);
            agree(&tree, &model);
            for (path, value) in &changes {
                prop_assert_eq!(tree.get(path), *value);
            }
        }
        prop_assert_eq!(from_sorted(&model).root(), tree.root());
    }

    #[test]
    fn order_and_batching_do_not_matter(
        shape in shape(),
        keys in prop::collection::btree_set(0..2000u16, 0..300),
        sizes in prop::collection::vec(1..60usize, 1..20),
        seed in any::<u64>(),
    ) {
        // The value follows from the path: a few numbers share one, and none of them may be the last to win.
        let set = |keys: &[u16]| {
            let mut paths: Vec<_> = keys.iter().map(|key| path(*key, shape)).collect();
            paths.sort_unstable();
            paths.dedup();
            let change = |path| (Path::from_bytes(path), Some(Digest(path)));
            paths.into_iter().map(change).collect::<Vec<_>>()
        };
        let mut order: Vec<u16> = keys.into_iter().collect();
        let mut model = Model::new();
        follow(&mut model, &set(&order));
        order.sort_by_key(|key| u64::from(*key).wrapping_mul(seed | 1));
        let (mut tree, mut rest) = (Tree::new(), &order[..]);
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(rest.len().min(*size));
            tree = tree.apply(&set(now));
            rest = later;
        }
        agree(&tree, &model);
    }

    #[test]
    fn all_removed_is_empty(shape in shape(), batches in batches(300, 10, 300)) {
        let mut tree = Tree::new();
        for batch in &batches {
            tree = tree.apply(&changes(batch, shape));
        }
        let all = (0..300).map(|key| (key, None)).collect();
        tree = tree.apply(&changes(&all, shape));
        prop_assert_eq!(tree.root(), Digest::ZERO);
        prop_assert_eq!(tree.len(), 0);
    }
}

#[test]
fn a_change_without_effect_shares_everything() {
    let leaves = (0..1000u16).map(|key| (key, Some(1))).collect();
    let tree = Tree::new().apply(&changes(&leaves, crate::reference::Shape::Random));
    let idle = (0..3000u16).map(|key| (key, (key < 1000).then_some(1))).collect();
    let next = tree.apply(&changes(&idle, crate::reference::Shape::Random));
    assert_eq!(next.root(), tree.root());
    assert_eq!(next.len(), 1000);
}

#[test]
fn unsorted_changes_stop_the_caller() {
    let at = |number| Path::from_bytes(path(number, crate::reference::Shape::Comb));
    let apply = |changes: [Change; 2]| std::panic::catch_unwind(move || Tree::new().apply(&changes));
    assert!(apply([(at(1), None), (at(2), None)]).is_err());
    assert!(apply([(at(2), None), (at(1), None)]).is_ok());
}
