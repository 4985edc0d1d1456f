//! Dates as IMAP writes them (RFC 3501 section 9, date and date-time), from year 0 to 9999.

use crate::write;

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

const DAY: i64 = 86_400;

/// A day of the calendar, as SEARCH names it. In order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// 0 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A moment, with the zone of the clock it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// Seconds since 1970, before it negative.
    pub unix: i64,
    /// Minutes that the zone is ahead of UTC.
    pub zone: i16,
}

impl Date {
    /// `1-Feb-1994`
    pub fn parse(text: &[u8]) -> Option<Date> {
        let mut parts = text.splitn(3, |&byte| byte == b'-');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = matches!(day.len(), 1 | 2) && year.len() == 4;
        Date::new(digits.then(|| number(year))??, month_number(month)?, number(day)?)
    }

    /// None if there is no such day.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Date> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (year <= 9999 && (1..=days).contains(&day)).then_some(Date { year, month, day })
    }

    /// Days since 1 January 1970, before it negative.
    pub fn days(self) -> i64 {
        // A year begins in March here: the leap day is its last. 400 years are 146,097 days.
        let shifted = i64::from(self.month) + if self.month > 2 { -3 } else { 9 };
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * shifted + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// The day so many days after 1 January 1970; beyond the years 0 to 9999 the nearest there is.
    pub fn from_days(days: i64) -> Date {
        const FIRST: i64 = -719_528;
        const LAST: i64 = 2_932_896;
        let days = days.clamp(FIRST, LAST) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted = (5 * of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = era * 400 + year + i64::from(month <= 2);
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        Date {
            year: u16::try_from(year).unwrap_or_default(),
            month: u8::try_from(month).unwrap_or_default(),
            day: u8::try_from(day).unwrap_or_default(),
        }
    }
}

impl DateTime {
    /// `17-Jul-1996 02:44:25 -0700`, the day in two digits or with a blank before one.
    pub fn parse(text: &[u8]) -> Option<DateTime> {
        let &[d1, d2, b'-', m1, m2, m3, b'-', y1, y2, y3, y4, b' ', ref clock @ ..] = text else { return None };
        let &[h1, h2, b':', i1, i2, b':', s1, s2, b' ', sign, z1, z2, z3, z4] = clock else { return None };
        let day = if d1 == b' ' { number(&[d2])? } else { number(&[d1, d2])? };
        let date = Date::new(number(&[y1, y2, y3, y4])?, month_number(&[m1, m2, m3])?, day)?;
        let (hour, minute, second) = (number::<i64>(&[h1, h2])?, number::<i64>(&[i1, i2])?, number::<i64>(&[s1, s2])?);
        let (zone_hour, zone_minute) = (number::<i16>(&[z1, z2])?, number::<i16>(&[z3, z4])?);
        // 60 is a leap second.
        if hour > 23 || minute > 59 || second > 60 || zone_hour > 23 || zone_minute > 59 {
            return None;
        }
        let zone = zone_hour * 60 + zone_minute;
        let zone = match sign {
            b'+' => zone,
            b'-' => -zone,
            _ => return None,
        };
        let unix = date.days() * DAY + hour * 3600 + minute * 60 + second - i64::from(zone) * 60;
        Some(DateTime { unix, zone })
    }

    /// Its day, by its own zone's calendar.
    pub fn date(self) -> Date {
        Date::from_days(self.local().div_euclid(DAY))
    }

    fn local(self) -> i64 {
        self.unix.saturating_add(i64::from(self.zone) * 60)
    }

    /// As INTERNALDATE shows it, with its quotes: `" 7-Jul-1996 02:44:25 -0700"`.
    pub fn write(self, out: &mut Vec<u8>) {
        let date = self.date();
        let second = self.local().rem_euclid(DAY);
        out.push(b'"');
        padded(out, i64::from(date.day), 2, b' ');
        out.push(b'-');
        let month = MONTHS.get(usize::from(date.month).wrapping_sub(1)).copied().unwrap_or(b"Jan");
        out.extend_from_slice(month);
        out.push(b'-');
        padded(out, i64::from(date.year), 4, b'0');
        for (separator, value) in [(b' ', second / 3600), (b':', second / 60 % 60), (b':', second % 60)] {
            out.push(separator);
            padded(out, value, 2, b'0');
        }
        out.extend_from_slice(if self.zone < 0 { b" -" } else { b" +" });
        let zone = i64::from(self.zone.unsigned_abs());
        padded(out, zone / 60 % 100, 2, b'0');
        padded(out, zone % 60, 2, b'0');
        out.push(b'"');
    }
}

fn padded(out: &mut Vec<u8>, value: i64, width: u32, pad: u8) {
    let value = value.unsigned_abs();
    for place in (1..width).rev() {
        if value < 10u64.pow(place) {
            out.push(pad);
        }
    }
    write::number(out, value);
}

/// Digits only, not empty, small enough for the type.
fn number<T: TryFrom<u32>>(digits: &[u8]) -> Option<T> {
    let known = !digits.is_empty() && digits.len() <= 4 && digits.iter().all(u8::is_ascii_digit);
    let value = digits.iter().fold(0u32, |value, digit| value * 10 + u32::from(digit.wrapping_sub(b'0')));
    known.then(|| T::try_from(value).ok()).flatten()
}

fn month_number(name: &[u8]) -> Option<u8> {
    let place = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    u8::try_from(place + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moment(text: &str) -> Option<i64> {
        DateTime::parse(text.as_bytes()).map(|moment| moment.unix)
    }

    #[test]
    fn moments_before_and_after_the_epoch() {
        assert_eq!(moment("01-Jan-1970 00:00:00 +0000"), Some(0));
        assert_eq!(moment(" 1-jan-1970 01:00:00 +0100"), Some(0));
        assert_eq!(moment("31-Dec-1969 23:59:59 -0000"), Some(-1));
        assert_eq!(moment("17-Jul-1996 02:44:25 -0700"), Some(837_596_665));
        assert_eq!(moment("19-Jan-2038 03:14:08 +0000"), Some(1 << 31));
        assert_eq!(moment("29-Feb-2000 12:00:00 +0000"), Some(951_825_600));
        assert_eq!(moment("01-Jan-1900 00:00:00 +0000"), Some(-2_208_988_800));
        assert_eq!(moment("31-Dec-2016 23:59:60 +0000"), Some(1_483_228_800));
    }

    #[test]
    fn what_is_no_moment() {
        for bad in [
            "",
            "1-Jan-1970 00:00:00 +0000",
            "32-Jan-1970 00:00:00 +0000",
            "29-Feb-1900 00:00:00 +0000",
            "00-Jan-1970 00:00:00 +0000",
            "01-Foo-1970 00:00:00 +0000",
            "01-Jan-70 00:00:00 +0000",
            "01-Jan-1970 24:00:00 +0000",
            "01-Jan-1970 00:60:00 +0000",
            "01-Jan-1970 00:00:61 +0000",
            "01-Jan-1970 00:00:00 0000",
            "01-Jan-1970 00:00:00 +2400",
            "01-Jan-1970 00:00:00 +0060",
            "01-Jan-1970 00:00:00",
            "01-Jan-1970 00:00:00 +0000 ",
            "+1-Jan-1970 00:00:00 +0000",
            "01-Jan-1970 -1:00:00 +0000",
        ] {
            assert_eq!(moment(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn days_of_searches() {
        assert_eq!(Date::parse(b"1-Feb-1994"), Date::new(1994, 2, 1));
        assert_eq!(Date::parse(b"01-FEB-1994"), Date::new(1994, 2, 1));
        for bad in [
            "",
            "1-Feb",
            "1-Feb-94",
            "001-Feb-1994",
            "-Feb-1994",
            "31-Feb-1994",
            "1-Feb-1994-",
            "1 Feb 1994",
            " 1-Feb-1994",
        ] {
            assert_eq!(Date::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!((Date::from_days(i64::MIN).year, Date::from_days(i64::MAX)), (0, Date::new(9999, 12, 31).unwrap()));
    }

    #[test]
    fn a_moment_has_the_date_of_its_own_zone() {
        let moment = DateTime::parse(b"01-Mar-2024 00:30:00 +0100").unwrap();
        assert_eq!(moment.date(), Date::new(2024, 3, 1).unwrap());
        let extreme = DateTime { unix: i64::MAX, zone: i16::MAX };
        let mut out = Vec::new();
        extreme.write(&mut out);
        assert!(out.starts_with(b"\"31-Dec-9999 "));
    }

    proptest! {
        #[test]
        fn days_come_back(days in -719_528i64..=2_932_896) {
            let date = Date::from_days(days);
            prop_assert_eq!(date.days(), days);
            prop_assert_eq!(Date::new(date.year, date.month, date.day), Some(date));
            prop_assert!(days == 2_932_896 || date < Date::from_days(days + 1));
        }

        #[test]
        fn moments_come_back(unix in -62_000_000_000i64..250_000_000_000, zone in -1439i16..=1439) {
            let moment = DateTime { unix, zone };
            let mut out = Vec::new();
            moment.write(&mut out);
            prop_assert_eq!(out.len(), 28);
            prop_assert_eq!(DateTime::parse(&out[1..27]), Some(moment));
        }

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..30)) {
            let _ = DateTime::parse(&bytes);
            let _ = Date::parse(&bytes);
        }
    }
}
