//! The demonstration and the load test, whole, as `make run` and `make bench` start them.

use crate::{
    running::{Up, free_base, turn},
    world::{run, text},
};
use std::fs;

#[test]
fn the_demonstration_holds_and_may_be_repeated() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("network");
    let up = Up::start(home.path(), &dir, free_base());
    for rows in ["55164", "0"] {
        let demo = up.run(&["demo", "--dir", text(&dir)]);
        assert_eq!(demo.code, 0, "{}{}", demo.out, demo.err);
        assert!(demo.out.contains("全部成立"), "{}", demo.out);
        assert!(demo.out.contains(&format!("新存证 {rows}，")), "{}", demo.out);
    }
    up.stop("-TERM");
}

#[test]
fn the_load_test_reports_what_it_says_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let _turn = turn();
    for wait in [&[][..], &["--wait"]] {
        let words = [
            "bench",
            "--seconds",
            "2",
            "--clients",
            "8",
            "--work-dir",
            text(home.path()),
            "--json",
        ];
        let bench = run(home.path(), &[&words, wait].concat());
        assert_eq!(bench.code, 0, "{}", bench.err);
        let report = bench.json();
        assert_eq!((&report["nodes"], &report["success_rate"]), (&4.into(), &1.0.into()));
        for figure in ["committed_tps", "p50_ms", "p99_ms", "cpu_ms_per_tx", "fsyncs_per_s"] {
            assert!(report[figure].as_f64().unwrap() > 0.0, "{figure}: {report}");
        }
        assert!(report["p50_ms"].as_f64() <= report["p99_ms"].as_f64());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "the network is removed");
    }
}
