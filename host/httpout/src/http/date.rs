//! Dates as data has them (RFC 3339). Those of fields are httpdate's.

use std::time::{Duration, SystemTime};

/// A time in whole seconds, such as `2024-02-29T12:00:00Z`. What lies before 1970 is shown as its begin.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The same with thousandths, of so many milliseconds since 1970.
pub(crate) fn rfc3339_precise(milliseconds: u64) -> String {
    let whole = rfc3339(SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds));
    let (seconds, zone) = whole.split_at(whole.len() - 1);
    format!("{seconds}.{:03}{zone}", milliseconds % 1000)
}

/// Reads a time, such as `2024-02-29T12:00:00.5+01:00`: milliseconds since 1970. Without a zone it is UTC (ISO/IEC
/// 23009-1 has it so). None for what lies before.
pub(crate) fn parse_rfc3339(text: &str) -> Option<u64> {
    let (date, time) = text.trim().split_once('T')?;
    let (time, zone) = match time.find(['Z', '+', '-']) {
        Some(at) => (&time[..at], zone_minutes(&time[at..])?),
        None => (time, 0),
    };
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.splitn(3, ':');
    let (hour, minute) = (
        time.next()?.parse::<i64>().ok()?,
        time.next()?.parse::<i64>().ok()?,
    );
    let second: f64 = time.next()?.parse().ok()?;
    let is_sound = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..=24).contains(&hour)
        && (0..60).contains(&minute)
        && (0.0..61.0).contains(&second);
    if !is_sound {
        return None;
    }
    let minutes = (day_of(year, month, day) * 24 + hour) * 60 + minute - zone;
    let milliseconds = minutes * 60_000 + (second * 1000.0).round() as i64;
    u64::try_from(milliseconds).ok()
}

/// What a zone is ahead of UTC.
fn zone_minutes(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (hours, minutes) = zone[1..].split_once(':')?;
    let minutes =
        i64::from(hours.parse::<u8>().ok()?) * 60 + i64::from(minutes.parse::<u8>().ok()?);
    Some(if zone.starts_with('-') {
        -minutes
    } else {
        minutes
    })
}

/// The day since 1970-01-01 of a Gregorian date, as [`civil`] counts.
fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = match month > 2 {
        true => (year, month - 3),
        false => (year - 1, month + 9),
    };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// The Gregorian date of a day since 1970-01-01.
///
/// Years are counted from March, so that the day of a leap year comes last; 400 years have 146,097 days.
fn civil(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468; // since 0000-03-01
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (400 * era + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn known_dates() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(at(seconds)), date);
        }
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(rfc3339(before), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn dates_of_manifests() {
        for (text, expected) in [
            ("2026-11-21T20:09:10.340Z", Some(1_795_291_750_340)),
            ("2026-11-21T21:09:10.340+01:00", Some(1_795_291_750_340)),
            ("2026-11-21T20:09:10", Some(1_795_291_750_000)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1969-12-31T23:59:59Z", None),
            ("2026-11-21", None),
            ("2026-13-21T20:09:10Z", None),
            ("9223372036854775807-01-01T00:00:00Z", None),
            ("2026-11-21T20:09:10+9223372036854775807:00", None),
            ("now", None),
        ] {
            assert_eq!(parse_rfc3339(text), expected, "{text}");
        }
        assert_eq!(
            rfc3339_precise(1_795_291_750_340),
            "2026-11-21T20:09:10.340Z"
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(milliseconds in 0_u64..253_402_300_800_000) {
            prop_assert_eq!(parse_rfc3339(&rfc3339_precise(milliseconds)), Some(milliseconds));
        }

        #[test]
        fn dates_agree_with_those_of_fields(seconds in 0_u64..253_402_300_800) {
            const MONTHS: [&str; 12] = [
                "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
            ];
            let data = rfc3339(at(seconds));
            let field = httpdate::fmt_http_date(at(seconds));
            let month: usize = data[5..7].parse().expect("digits");
            let rebuilt = format!(
                "{} {} {} {} GMT",
                &data[8..10],
                MONTHS[month - 1],
                &data[..4],
                &data[11..19]
            );
            prop_assert_eq!(&field[5..], rebuilt);
        }
    }
}
