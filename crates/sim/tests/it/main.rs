//! The fixed seeds that every test run plays, and reproducibility.

mod fusion;

use yulian_sim::{Plan, play};

fn hold(seeds: std::ops::Range<u64>) {
    let mut joined = 0;
    for seed in seeds {
        let plan = Plan::of_seed(seed);
        match play(&plan) {
            Ok(outcome) => joined += outcome.joined,
            Err(broken) => panic!("{plan}{broken}\nreplay: yulian-sim --seed {seed}"),
        }
    }
    assert!(joined >= 5, "only {joined} machines joined by a snapshot");
}

#[test]
fn fixed_seeds_first_half() {
    hold(0..10);
}

#[test]
fn fixed_seeds_second_half() {
    hold(10..20);
}

#[test]
fn a_seed_replays_exactly() {
    let plan = Plan::of_seed(4);
    let (one, two) = (play(&plan).expect("holds"), play(&plan).expect("holds"));
    assert_eq!(one.fingerprint, two.fingerprint);
    assert_eq!((one.height, one.transactions), (two.height, two.transactions));
}
