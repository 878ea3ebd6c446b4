//! `yulian bench crypto`: SM2, SM3 and SM4 beside RustCrypto and OpenSSL, in one run, by processor time.

mod candidates;
mod openssl;
mod operation;

use crate::{
    bench::{figures::rounded, say},
    out,
    problem::{Exit, Result},
    progress::Progress,
};
use candidates::{Candidate, Material};
use clap::Args;
use operation::Operation;
use serde::Serialize;

/// The median of so many rounds is shown. All candidates take turns within a round, so that a machine that gets slower
/// meanwhile does so for all of them.
const ROUNDS: usize = 5;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    json: bool,
}

/// A line of the table.
#[derive(Debug, Clone, Serialize)]
struct Row {
    operation: &'static str,
    implementation: &'static str,
    per_second: f64,
    /// To RustCrypto's of the same operation.
    ratio: Option<f64>,
}

/// What was measured of one operation of one implementation.
struct Series {
    operation: Operation,
    implementation: &'static str,
    per_second: Vec<f64>,
}

/// Who does it.
const OWN: &str = "yulian";
const OPENSSL: &str = "OpenSSL";

pub(super) fn run(arguments: &Arguments) -> Result<Exit> {
    let material = Material::new();
    let version = openssl::version();
    let mut series = measure(material.candidates(), version.is_some());
    let rows = rows(&mut series);
    let openssl = rows.iter().any(|row| row.implementation == OPENSSL);
    let version = version.filter(|_| openssl);
    if arguments.json {
        let all = serde_json::json!({ "rounds": ROUNDS, "openssl": version, "rows": rows });
        out::json(&all);
    } else {
        print(&series, &rows);
    }
    out::note_line(match version {
        Some(version) => say::bench_crypto_openssl(out::one_line(&version)),
        None => say::bench_crypto_no_openssl(),
    });
    Ok(Exit::Done)
}

fn measure(mut candidates: Vec<Candidate<'_>>, has_openssl: bool) -> Vec<Series> {
    let mut series: Vec<Series> = candidates.iter().map(Candidate::series).collect();
    let mut progress = Progress::new(String::new(), Some(ROUNDS as u64));
    for round in 1..=ROUNDS {
        progress.label(say::bench_crypto_round(round, ROUNDS));
        for (candidate, series) in candidates.iter_mut().zip(&mut series) {
            series.per_second.push(candidate.measure());
        }
        let theirs = if has_openssl { openssl::speed() } else { Vec::new() };
        for (operation, per_second) in theirs {
            let known = series
                .iter()
                .position(|known| known.operation == operation && known.implementation == OPENSSL);
            let at = known.unwrap_or_else(|| {
                series.push(Series::new(operation, OPENSSL));
                series.len() - 1
            });
            series[at].per_second.push(per_second);
        }
        progress.set(round as u64);
    }
    series.sort_by_key(|series| series.operation);
    series
}

impl Series {
    fn new(operation: Operation, implementation: &'static str) -> Self {
        Self {
            operation,
            implementation,
            per_second: Vec::new(),
        }
    }

    fn median(&mut self) -> f64 {
        self.per_second.sort_by(f64::total_cmp);
        self.per_second
            .get(self.per_second.len() / 2)
            .copied()
            .unwrap_or_default()
    }
}

fn rows(series: &mut [Series]) -> Vec<Row> {
    let medians: Vec<f64> = series.iter_mut().map(Series::median).collect();
    let is_reference = |series: &Series| series.implementation != OWN && series.implementation != OPENSSL;
    let reference = |operation: Operation| {
        let of = operation.reference();
        let found = series
            .iter()
            .position(|series| series.operation == of && is_reference(series));
        found.map(|at| medians[at]).filter(|median| *median > 0.0)
    };
    let row = |(series, median): (&Series, &f64)| Row {
        operation: series.operation.code(),
        implementation: series.implementation,
        per_second: rounded(*median),
        ratio: reference(series.operation).map(|reference| (median / reference * 100.0).round() / 100.0),
    };
    series.iter().zip(&medians).map(row).collect()
}

fn print(series: &[Series], rows: &[Row]) {
    out::line(say::bench_crypto_head(ROUNDS));
    let head = [
        say::bench_col_operation(),
        say::bench_col_implementation(),
        say::bench_col_per_second(),
        say::bench_col_ratio(),
    ];
    let cells = |(series, row): (&Series, &Row)| {
        vec![
            series.operation.name(),
            row.implementation.to_owned(),
            format!("{:.0}", row.per_second),
            row.ratio.map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}")),
        ]
    };
    out::table(&head, &series.iter().zip(rows).map(cells).collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_to_rustcrypto_of_the_same_operation() {
        let of = |operation, implementation, per_second: [f64; 3]| Series {
            per_second: per_second.to_vec(),
            ..Series::new(operation, implementation)
        };
        let rows = rows(&mut [
            of(Operation::Sm2VerifyCachedKey, OWN, [900.0, 50.0, 60.0]),
            of(Operation::Sm2Verify, "sm2", [10.0, 30.0, 20.0]),
            of(Operation::Nistp256Verify, OPENSSL, [40.0, 40.0, 40.0]),
            of(Operation::Sm2Sign, OPENSSL, [5.0, 5.0, 5.0]),
        ]);
        let found: Vec<_> = rows.iter().map(|row| (row.per_second, row.ratio)).collect();
        assert_eq!(
            found,
            [(60.0, Some(3.0)), (20.0, Some(1.0)), (40.0, Some(2.0)), (5.0, None)]
        );
    }
}
