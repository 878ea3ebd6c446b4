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

#[test]
fn an_open_loop_tells_each_second_and_draws_it() {
    let home = tempfile::tempdir().unwrap();
    let _turn = turn();
    let (work, svg) = (home.path().join("work"), home.path().join("run.svg"));
    fs::create_dir(&work).unwrap();
    let words = [
        "bench",
        "--rate",
        "150",
        "--seconds",
        "3",
        "--signers",
        "20",
        "--svg",
        text(&svg),
        "--work-dir",
        text(&work),
        "--json",
    ];
    let bench = run(home.path(), &words);
    assert_eq!(bench.code, 0, "{}", bench.err);
    let report = bench.json();
    assert_eq!((&report["loop"], &report["rate"]), (&"open".into(), &150.0.into()));
    assert_eq!(
        (&report["signers"], &report["signers_registered"]),
        (&20.into(), &0.into())
    );
    // Whatever the machine did meanwhile: what was due was sent or is reported, and nothing was lost.
    let count = |name: &str| report[name].as_u64().unwrap();
    assert_eq!(count("sent") + count("not_sent"), 450, "{report}");
    assert_eq!(
        count("not_sent"),
        count("not_sent_no_room") + count("not_sent_not_signed")
    );
    assert_eq!(report["success_rate"], 1.0, "{report}");
    assert!(report["p99_ms"].as_f64() <= report["p999_ms"].as_f64());
    let processes = report["cpu"].as_array().unwrap();
    assert_eq!((processes.len(), &processes[4]["process"]), (5, &"loader".into()));
    let samples = report["samples"].as_array().unwrap();
    assert!(samples.len() >= 2, "{report}");
    for key in [
        "second",
        "sent",
        "not_sent",
        "committed_tps",
        "p50_ms",
        "p99_ms",
        "loader_cpu_cores",
    ] {
        assert!(samples[0][key].is_number(), "{key}: {}", samples[0]);
    }
    for key in ["cpu_cores", "memory_bytes"] {
        assert_eq!(samples[0][key].as_array().unwrap().len(), 4, "{key}: {}", samples[0]);
    }
    let drawn = fs::read_to_string(svg).unwrap();
    assert!(drawn.starts_with("<svg") && drawn.contains("吞吐"), "{drawn}");
    assert_eq!(fs::read_dir(&work).unwrap().count(), 0, "the network is removed");
}
