//! Dates of header fields (RFC 5322 sections 3.3 and 4.3).

/// A date and time with the zone it was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// Year, four digits.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month.
    pub day: u8,
    /// Seconds since 1970, UTC.
    pub unix: i64,
    /// Minutes east of Greenwich.
    pub zone: i16,
}

impl Date {
    /// Reads an unfolded Date value, as leniently as can be without guessing a day.
    pub fn parse(value: &[u8]) -> Option<Date> {
        let mut words = Words { rest: value };
        let mut word = words.next()?;
        if !word.first()?.is_ascii_digit() {
            word = words.next()?;
        }
        let day = number(word)?;
        let month = month(words.next()?)?;
        let year = year(words.next()?)?;
        let (hour, minute, second) = words.next().and_then(time).unwrap_or((0, 0, 0));
        let zone = words.next().map_or(0, zone);
        if day == 0 || day > days_in(year, month) || hour > 24 || minute > 59 || second > 60 {
            return None;
        }
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second) - i64::from(zone) * 60;
        let unix = days_from_epoch(year, month, day) * 86_400 + seconds;
        Some(Date { year: year as u16, month: month as u8, day: day as u8, unix, zone })
    }
}

/// Words parted by blanks, commas and comments.
struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut depth = 0usize;
        let start = self.rest.iter().position(|b| {
            match b {
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                _ => return depth == 0 && !is_gap(*b),
            }
            false
        })?;
        let from = self.rest.get(start..)?;
        let end = from.iter().position(|b| is_gap(*b) || *b == b'(').unwrap_or(from.len());
        let (word, rest) = from.split_at_checked(end)?;
        self.rest = rest;
        Some(word)
    }
}

fn is_gap(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b','
}

fn number(word: &[u8]) -> Option<u32> {
    if word.is_empty() || word.len() > 4 {
        return None;
    }
    word.iter().try_fold(0u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
}

fn month(word: &[u8]) -> Option<u32> {
    const NAMES: &[u8] = b"janfebmaraprmayjunjulaugsepoctnovdec";
    let name = word.get(..3)?.to_ascii_lowercase();
    NAMES.chunks(3).zip(1..).find(|(n, _)| *n == name).map(|(_, number)| number)
}

/// Two digits are 2000 to 2049 or 1950 to 1999, three count from 1900 (section 4.3).
fn year(word: &[u8]) -> Option<u32> {
    let n = number(word)?;
    match word.len() {
        2 if n < 50 => Some(n + 2000),
        2 | 3 => Some(n + 1900),
        4 if n >= 1900 => Some(n),
        _ => None,
    }
}

fn time(word: &[u8]) -> Option<(u32, u32, u32)> {
    let mut parts = word.split(|b| matches!(b, b':' | b'.'));
    let hour = number(parts.next()?)?;
    let minute = number(parts.next()?)?;
    let second = match parts.next() {
        Some(second) => number(second)?,
        None => 0,
    };
    Some((hour, minute, second))
}

/// Minutes east; 0 for what is not known, as section 4.3 says.
fn zone(word: &[u8]) -> i16 {
    if let [sign @ (b'+' | b'-'), digits @ ..] = word {
        let Some(n) = number(digits).filter(|n| digits.len() == 4 && n % 100 < 60 && n / 100 < 24) else { return 0 };
        let minutes = (n / 100 * 60 + n % 100) as i16;
        return if *sign == b'-' { -minutes } else { minutes };
    }
    let hours = match word.to_ascii_uppercase().as_slice() {
        b"EDT" => -4,
        b"EST" | b"CDT" => -5,
        b"CST" | b"MDT" => -6,
        b"MST" | b"PDT" => -7,
        b"PST" => -8,
        _ => 0,
    };
    hours * 60
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of the Gregorian calendar.
pub fn days_from_epoch(year: u32, month: u32, day: u32) -> i64 {
    // The year begins in March, so that the leap day is its last.
    let (y, m) = if month <= 2 { (i64::from(year) - 1, month + 9) } else { (i64::from(year), month.saturating_sub(3)) };
    let day_of_year = (153 * i64::from(m) + 2) / 5 + i64::from(day) - 1;
    y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_as_they_come() {
        for (value, day, unix, zone) in [
            ("Fri, 21 Nov 1997 09:55:06 -0600", (1997, 11, 21), 880_127_706, -360),
            ("21 Nov 97 09:55 GMT", (1997, 11, 21), 880_106_100, 0),
            ("Thu,\t13\tFeb 1969 23:32:54 -0330 (Newfoundland Time)", (1969, 2, 13), -27_723_426, -210),
            ("Tue, 1 Jan 2038 00:00:00 +1300", (2038, 1, 1), 2_145_870_000, 780),
            ("1 July 2003 00:00:00 EDT", (2003, 7, 1), 1_057_032_000, -240),
            ("29 Feb 2000", (2000, 2, 29), 951_782_400, 0),
            ("Mon(x), 3 (y) Mar 2025 1:02:03 +0000", (2025, 3, 3), 1_740_963_723, 0),
            ("Sat, 01 Jan 2000 00:00:60 +0000", (2000, 1, 1), 946_684_860, 0),
        ] {
            let d = Date::parse(value.as_bytes()).unwrap_or_else(|| panic!("{value}"));
            assert_eq!(((d.year, d.month, d.day), d.unix, d.zone), (day, unix, zone), "{value}");
        }
        for broken in
            ["", "Fri", "Fri, 32 Jan 2000", "29 Feb 2001 00:00:00 +0000", "1 Foo 2000", "0 Jan 2000", "1 Jan 00000"]
        {
            assert_eq!(Date::parse(broken.as_bytes()), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[ ,:()+0-9A-Za-z-]{0,40}") {
            Date::parse(text.as_bytes());
        }
    }
}
