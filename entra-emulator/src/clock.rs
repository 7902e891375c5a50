//! The emulator's time: the machine's clock plus
//! [`Settings::clock_offset`](crate::Settings::clock_offset).

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch by the machine's clock.
pub(crate) fn machine_milliseconds() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

/// Formats a time as in Entra's errors: `2026-11-21 00:41:25Z`.
pub(crate) fn timestamp(unix_seconds: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(unix_seconds).map_or_else(
        |_| unix_seconds.to_string(),
        |at| {
            format!(
                "{:04}-{:02}-{:02} {:02}:{:02}:{:02}Z",
                at.year(),
                u8::from(at.month()),
                at.day(),
                at.hour(),
                at.minute(),
                at.second()
            )
        },
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_errors_time_has_entras_format() {
        assert_eq!(super::timestamp(1_795_221_685), "2026-11-21 00:41:25Z");
    }
}
