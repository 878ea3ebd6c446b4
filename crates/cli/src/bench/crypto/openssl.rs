//! OpenSSL as it is installed, through its own measurement: this program does not link it.

use super::operation::Operation;
use std::process::{Command, Stdio};

const PROGRAM: &str = "openssl";
/// Beginning of the line of ECDSA, and of that of SM2, in what `openssl speed -mr` prints.
const ECDSA: &str = "+F4:";
const SM2: &str = "+F7:";

/// What it calls itself; none if it is not there.
pub(super) fn version() -> Option<String> {
    said(&["version"]).map(|text| text.trim().to_owned())
}

/// Operations per second of its processor time; nothing of what it does not know.
pub(super) fn speed() -> Vec<(Operation, f64)> {
    let words = ["speed", "-seconds", "1", "-mr", "sm2", "ecdsap256"];
    said(&words).map(|text| parse(&text)).unwrap_or_default()
}

fn said(words: &[&str]) -> Option<String> {
    let output = Command::new(PROGRAM)
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The last two fields of a line are signatures and verifications per second.
fn parse(text: &str) -> Vec<(Operation, f64)> {
    let rates = |beginning: &str| {
        let line = text.lines().find(|line| line.starts_with(beginning))?;
        let mut fields = line.trim().rsplit(':').map(str::parse::<f64>);
        let (verify, sign) = (fields.next()?.ok()?, fields.next()?.ok()?);
        Some((sign, verify))
    };
    let mut out = Vec::new();
    if let Some((sign, verify)) = rates(SM2) {
        out.extend([(Operation::Sm2Verify, verify), (Operation::Sm2Sign, sign)]);
    }
    out.extend(rates(ECDSA).map(|(_, verify)| (Operation::Nistp256Verify, verify)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_lines_are_found_and_others_left() {
        let text = "+DTP:256:sign:ecdsa:1\n+R5:36265:256:0.91\n+F4:3:256:39851.648352:12997.916667\n+F7:0:256:CurveSM2:2248.484848:2690.322581\n";
        let expected = [
            (Operation::Sm2Verify, 2690.322581),
            (Operation::Sm2Sign, 2248.484848),
            (Operation::Nistp256Verify, 12997.916667),
        ];
        assert_eq!(parse(text), expected);
        assert_eq!(parse("+F4:3:256:1.0:2.0"), [(Operation::Nistp256Verify, 2.0)]);
        assert_eq!(parse("+F7:x\n+F4:"), []);
    }
}
