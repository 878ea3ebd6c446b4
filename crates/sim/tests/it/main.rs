//! The fixed seeds that every test run plays, and reproducibility.

use yulian_sim::{Plan, play};

fn hold(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let plan = Plan::of_seed(seed);
        if let Err(broken) = play(&plan) {
            panic!("{plan}{broken}\nreplay: yulian-sim --seed {seed}");
        }
    }
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
