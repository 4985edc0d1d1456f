//! Something that would be said for every connection and is said once a minute.

use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

/// When it was said last.
#[derive(Debug, Default)]
pub struct OnceAMinute(Option<Instant>);

impl OnceAMinute {
    /// True where it is time to say it again.
    pub fn due(&mut self, now: Instant) -> bool {
        let due = self.0.is_none_or(|said| now.saturating_duration_since(said) >= MINUTE);
        if due {
            self.0 = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute() {
        let (mut once, start) = (OnceAMinute::default(), Instant::now());
        assert!(once.due(start));
        assert!(!once.due(start + Duration::from_secs(59)));
        assert!(once.due(start + MINUTE));
    }
}
