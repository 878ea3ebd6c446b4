//! Figures with the digits that matter.

/// Milliseconds for a person.
pub(super) fn ms(value: f64) -> String {
    match value {
        _ if value < 1.0 => format!("{value:.3}"),
        _ if value < 10.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

/// A share in per cent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.3}", share * 100.0)
}

/// To one digit behind the point.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// To three digits behind the point.
pub(super) fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_matter() {
        assert_eq!([0.2834, 3.456, 129.4].map(ms), ["0.283", "3.46", "129"]);
        assert_eq!((rounded(5123.456), thousandths(0.28349)), (5123.5, 0.283));
        assert_eq!(percent(0.999), "99.900");
    }
}
