//! Processor, memory, limits, clock, versions.

use super::Finding;
use crate::{clock, text::say};
use rustix::process::{Resource, getrlimit};
use std::fs;
use yulian_exec::PROTOCOL_VERSIONS_KNOWN;

/// Open files that a node needs at most: its store, journals, peers and clients.
const OPEN_FILES_MIN: u64 = 4096;
/// Memory that a node of a chain with a million records takes, MiB, with room for the system.
const MEMORY_MIB_MIN: u64 = 1024;
/// The day on which this was written: no correct clock stands before it. 2026-11-01, ms since 1970-01-01 UTC.
const EARLIEST_MS: u64 = 1_793_491_200_000;

pub(super) fn findings() -> Vec<Finding> {
    vec![versions(), processor(), cores(), memory(), open_files(), own_clock()]
}

fn versions() -> Finding {
    let protocols: Vec<String> = PROTOCOL_VERSIONS_KNOWN.iter().map(ToString::to_string).collect();
    Finding::good(
        "version",
        say::doctor_version(env!("CARGO_PKG_VERSION"), protocols.join(", ")),
    )
}

/// Nothing of these is needed; the cryptography is faster with them.
fn processor() -> Finding {
    let found: Vec<&str> = features()
        .into_iter()
        .filter(|(_, there)| *there)
        .map(|(name, _)| name)
        .collect();
    let missing: Vec<&str> = features()
        .into_iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| name)
        .collect();
    let list = if found.is_empty() {
        "-".to_owned()
    } else {
        found.join(" ")
    };
    Finding::expect(
        "processor",
        missing.is_empty(),
        say::doctor_processor(std::env::consts::ARCH, list),
        || say::doctor_processor_hint(missing.join(" ")),
    )
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<(&'static str, bool)> {
    vec![
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("bmi2", std::arch::is_x86_feature_detected!("bmi2")),
        ("adx", std::arch::is_x86_feature_detected!("adx")),
        ("pclmulqdq", std::arch::is_x86_feature_detected!("pclmulqdq")),
        ("aes", std::arch::is_x86_feature_detected!("aes")),
    ]
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<(&'static str, bool)> {
    vec![
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
        ("pmull", std::arch::is_aarch64_feature_detected!("pmull")),
    ]
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<(&'static str, bool)> {
    Vec::new()
}

fn cores() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Finding::expect("cores", cores >= 2, say::doctor_cores(cores), say::doctor_cores_hint)
}

fn memory() -> Finding {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let Some(kib) = line.and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()) else {
        return Finding::warning("memory", say::doctor_unknown(), say::doctor_memory_hint(MEMORY_MIB_MIN));
    };
    let mib = kib / 1024;
    Finding::expect("memory", mib >= MEMORY_MIB_MIN, say::doctor_memory(mib), || {
        say::doctor_memory_hint(MEMORY_MIB_MIN)
    })
}

fn open_files() -> Finding {
    let limit = getrlimit(Resource::Nofile).current;
    let shown = limit.map_or_else(|| "∞".to_owned(), |limit| limit.to_string());
    let enough = limit.is_none_or(|limit| limit >= OPEN_FILES_MIN);
    Finding::expect("open-files", enough, say::doctor_open_files(shown), || {
        say::doctor_open_files_hint(OPEN_FILES_MIN)
    })
}

/// Whether the clock can be right at all; those of the nodes are compared where nodes are asked.
fn own_clock() -> Finding {
    let now = clock::now_ms();
    if now < EARLIEST_MS {
        return Finding::bad(
            "clock",
            say::doctor_clock(clock::beijing(now)),
            say::doctor_clock_hint(),
        );
    }
    Finding::good("clock", say::doctor_clock(clock::beijing(now)))
}
