//! Seeds of several chains that every test run plays.

use yulian_sim::fusion::{FusionOutcome, FusionPlan, Tally, play};

fn hold(seeds: std::ops::Range<u64>) -> Vec<FusionOutcome> {
    let play = |seed| {
        let plan = FusionPlan::of_seed(seed);
        play(&plan).unwrap_or_else(|broken| panic!("{plan}{broken}\nreplay: yulian-sim --fusion --seed {seed}"))
    };
    seeds.map(play).collect()
}

/// What is to be held is there: packets of every fate, claims of both kinds, lies, ways frozen and lifted, changes of the validators.
fn covered(outcomes: &[FusionOutcome]) {
    let sum = |of: fn(&Tally) -> usize| outcomes.iter().map(|outcome| of(&outcome.tally)).sum::<usize>();
    assert!(sum(|tally| tally.packets) >= 28 * outcomes.len());
    assert!(sum(|tally| tally.done) >= 16 * outcomes.len());
    assert!(sum(|tally| tally.answers) >= 6 * outcomes.len());
    assert!(sum(|tally| tally.failed) > 0 && sum(|tally| tally.timed_out) > 0 && sum(|tally| tally.given_up) > 0);
    assert!(sum(|tally| tally.released) > 0 && sum(|tally| tally.refused) > 0);
    assert!(sum(|tally| tally.full) > 0 && sum(|tally| tally.stopped) > 0 && sum(|tally| tally.resumed) > 0);
    assert!(outcomes.iter().any(|outcome| outcome.rotated == 3));
    assert!(outcomes.iter().any(|outcome| outcome.lies >= 8));
}

#[test]
fn fixed_seeds_of_several_chains_first_half() {
    covered(&hold(0..4));
}

#[test]
fn fixed_seeds_of_several_chains_second_half() {
    covered(&hold(4..9));
}

/// One in which no machine loses its power: what a machine drops at that moment wakes its waiters in no fixed order.
#[test]
fn a_seed_of_several_chains_replays_exactly() {
    let (one, two) = (hold(3..4).remove(0), hold(3..4).remove(0));
    assert_eq!(one.fingerprint, two.fingerprint);
    assert_eq!((one.heights, one.tally), (two.heights, two.tally));
}
