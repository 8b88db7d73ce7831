//! Dates as data has them (RFC 3339). Those of fields are httpdate's.

use std::time::SystemTime;

/// A time in whole seconds, such as `2024-02-29T12:00:00Z`. What lies before 1970 is shown as its begin.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The same with milliseconds, such as `2024-02-29T12:00:00.125Z`.
pub(crate) fn rfc3339_in_milliseconds(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let milliseconds = since.map_or(0, |since| since.subsec_millis());
    let whole = rfc3339(time);
    format!("{}.{milliseconds:03}Z", whole.trim_end_matches('Z'))
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
    use std::time::Duration;

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
        let later = at(951_782_400) + Duration::from_micros(7_999);
        assert_eq!(rfc3339_in_milliseconds(later), "2000-02-29T00:00:00.007Z");
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(rfc3339(before), "1970-01-01T00:00:00Z");
    }

    proptest! {
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
