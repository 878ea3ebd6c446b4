//! Help, version, mistakes.

use crate::world::{command, run};

#[test]
fn help_and_version_end_well_in_both_languages() {
    let home = tempfile::tempdir().unwrap();
    let version = run(home.path(), &["--version"]);
    assert_eq!(
        (version.code, version.out.trim()),
        (0, concat!("yulian ", env!("CARGO_PKG_VERSION")))
    );
    let chinese = run(home.path(), &["verify", "--help"]);
    assert_eq!(chinese.code, 0);
    assert!(
        chinese.out.contains("用法：yulian verify [选项]") && chinese.out.contains("离线核验"),
        "{}",
        chinese.out
    );
    for words in [
        &["--lang", "en", "verify", "--help"][..],
        &["verify", "--help", "--lang=en"],
    ] {
        let english = run(home.path(), words);
        assert_eq!(english.code, 0);
        assert!(
            english.out.is_ascii() && english.out.contains("Usage: yulian verify [OPTIONS]"),
            "{}",
            english.out
        );
    }
    let environment = command(home.path())
        .env("YULIAN_LANG", "en")
        .arg("--help")
        .output()
        .unwrap();
    assert!(environment.stdout.is_ascii());
}

#[test]
fn mistakes_end_with_2_and_say_what_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    for (words, says) in [
        (&["verfy"][..], "verify"),
        (&["verify"], "缺少"),
        (&["verify", "a", "b", "--row", "c"], "不能与"),
        (&["verify", "a", "--genesi", "c"], "--genesis"),
        (&["verify", "a", "--lang", "de"], "--lang"),
        (&["--lang", "en", "verify"], "is missing"),
        (&["bench", "--flood", "known"], "--rate"),
        (&["bench", "--round", "fly"], "fly"),
    ] {
        let answer = run(home.path(), words);
        assert_eq!((answer.code, answer.out.as_str()), (2, ""), "{words:?}");
        assert!(
            answer.err.contains(says) && answer.err.contains("[bad_arguments]"),
            "{words:?}: {}",
            answer.err
        );
    }
    assert_eq!(run(home.path(), &[]).code, 2);
}
