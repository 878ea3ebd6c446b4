//! Times as people in Henan read them.

use std::time::{SystemTime, UNIX_EPOCH};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// China has one time zone.
const BEIJING_MS: i64 = 8 * HOUR_MS;

/// The machine's clock, ms since 1970-01-01 UTC.
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// A time as `2026-11-22 08:17:16.042 UTC+8`.
pub(crate) fn beijing(time_ms: u64) -> String {
    let Some((date, rest)) = split(time_ms) else {
        return format!("{time_ms} ms");
    };
    let (hour, minute) = (rest / HOUR_MS, rest / 60_000 % 60);
    let (second, ms) = (rest / 1000 % 60, rest % 1000);
    format!("{date} {hour:02}:{minute:02}:{second:02}.{ms:03} UTC+8")
}

/// The day of a time, as `2026-11-22`.
pub(crate) fn beijing_day(time_ms: u64) -> String {
    split(time_ms).map_or_else(|| format!("{time_ms} ms"), |(date, _)| date)
}

/// The day in Beijing and the ms since its begin; none for times that no calendar of four digits has.
fn split(time_ms: u64) -> Option<(String, i64)> {
    let local = i64::try_from(time_ms).ok()?.checked_add(BEIJING_MS)?;
    let (year, month, day) = civil(local / DAY_MS);
    (year <= 9999).then(|| (format!("{year:04}-{month:02}-{day:02}"), local % DAY_MS))
}

/// Year, month and day of the n-th day after 1970-01-01 in the Gregorian calendar, which repeats every 400 years.
/// Years are counted from March, so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_400_YEARS: i64 = 146_097;
    const MARCH_0000_TO_1970: i64 = 719_468;
    let days = days + MARCH_0000_TO_1970;
    let cycle = days / DAYS_400_YEARS;
    let day = days % DAYS_400_YEARS;
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + carry, month, day)
}

/// A span as `850 ms`, `12.3 s`, `4 min 05 s`.
pub(crate) fn span(ms: u64) -> String {
    match ms {
        0..=999 => format!("{ms} ms"),
        1_000..=59_999 => format!("{:.1} s", ms as f64 / 1000.0),
        _ => format!("{} min {:02} s", ms / 60_000, ms / 1000 % 60),
    }
}

/// A span of hours or days as `5 h 03 min`, `29 d 07 h`; shorter ones as [`span`].
pub(crate) fn long_span(ms: u64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0..60 => span(ms),
        60..1_440 => format!("{} h {:02} min", minutes / 60, minutes % 60),
        _ => format!("{} d {:02} h", minutes / 1_440, minutes / 60 % 24),
    }
}

/// The last ms of a day in Beijing, given as `2027-12-31`; `None` for what is no day from 1970 on.
pub(crate) fn day_end_ms(day: &str) -> Option<u64> {
    let number = |text: &str, length: usize| -> Option<i64> {
        let digits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    let mut parts = day.split('-');
    let (year, month, day) = (
        number(parts.next()?, 4)?,
        number(parts.next()?, 2)?,
        number(parts.next()?, 2)?,
    );
    let days = days_of(year, month, day);
    let is_day = parts.next().is_none() && civil(days) == (year, month, day);
    let end = (is_day && days >= 0).then(|| (days + 1) * DAY_MS - BEIJING_MS - 1)?;
    u64::try_from(end).ok()
}

/// Days from 1970-01-01 to a day of the Gregorian calendar: the reverse of [`civil`].
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    const DAYS_400_YEARS: i64 = 146_097;
    const MARCH_0000_TO_1970: i64 = 719_468;
    // Years are counted from March.
    let year = if month <= 2 { year - 1 } else { year };
    let (cycle, of_cycle) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year;
    cycle * DAYS_400_YEARS + days - MARCH_0000_TO_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_day_is_that_of_beijing() {
        // From `TZ=Asia/Shanghai date -d 'DAY 23:59:59' +%s`.
        for (day, seconds) in [
            ("1970-01-01", 57_599),
            ("2000-02-29", 951_839_999),
            ("2024-12-31", 1_735_660_799),
            ("2027-01-01", 1_798_819_199),
            ("2099-12-31", 4_102_415_999_u64),
        ] {
            assert_eq!(day_end_ms(day), Some(seconds * 1000 + 999), "{day}");
        }
        for other in [
            "",
            "2027",
            "2027-02-29",
            "2027-13-01",
            "2027-1-01",
            "2027-01-00",
            "1969-12-31",
            "2027-01-01-1",
            "+027-01-01",
        ] {
            assert_eq!(day_end_ms(other), None, "{other}");
        }
    }

    #[test]
    fn long_spans_have_two_parts() {
        assert_eq!(long_span(59_000), "59.0 s");
        assert_eq!(long_span(3_600_000 * 5 + 3 * 60_000), "5 h 03 min");
        assert_eq!(long_span(24 * 3_600_000 * 29 + 7 * 3_600_000), "29 d 07 h");
    }

    #[test]
    fn known_days() {
        // From `TZ=Asia/Shanghai date -d @N`.
        for (seconds, text) in [
            (0, "1970-01-01 08:00:00.000 UTC+8"),
            (951_753_600, "2000-02-29 00:00:00.000 UTC+8"),
            (1_709_222_400, "2024-03-01 00:00:00.000 UTC+8"),
            (1_793_491_200, "2026-11-01 08:00:00.000 UTC+8"),
            (4_102_415_999, "2099-12-31 23:59:59.000 UTC+8"),
        ] {
            assert_eq!(beijing(seconds * 1000), text);
        }
        assert_eq!(beijing_day(1_793_491_200_000), "2026-11-01");
        assert_eq!(beijing(u64::MAX), format!("{} ms", u64::MAX));
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut expected = (1970, 1, 1);
        for day in 0..146_097 {
            assert_eq!(civil(day), expected);
            let (year, month, date) = expected;
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, date) {
                (12, 31) => (year + 1, 1, 1),
                (_, date) if date == last => (year, month + 1, 1),
                (_, date) => (year, month, date + 1),
            };
        }
    }

    #[test]
    fn spans() {
        assert_eq!([850, 12_340, 245_000].map(span), ["850 ms", "12.3 s", "4 min 05 s"]);
    }
}
