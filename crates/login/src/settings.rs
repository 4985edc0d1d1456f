//! The settings of the login program, each with its hard maximum.

use chain::environment::own_set;

/// What an administrator may set.
pub struct Settings {
    /// `LOGIN_TIMEOUT`: seconds for logging in, over all attempts.
    pub timeout: u32,
    /// `LOGIN_IDLE`: seconds without a byte.
    pub idle: u32,
    /// `LOGIN_DELAY`: seconds before a failure is answered.
    pub delay: u32,
    /// `LOG_FAILED_NAMES`: does the log name who failed to log in?
    pub names_failed: bool,
    /// `DEBUG_LOGIN`: are commands and names logged?
    pub debug: bool,
}

impl Settings {
    /// From the environment.
    pub fn from_environment() -> Settings {
        Settings {
            timeout: number("LOGIN_TIMEOUT", 60, 1, 60),
            idle: number("LOGIN_IDLE", 30, 1, 60),
            delay: number("LOGIN_DELAY", 5, 0, 30),
            names_failed: own_set("LOG_FAILED_NAMES") != Some(b"0"),
            debug: is_on("DEBUG_LOGIN"),
        }
    }
}

/// Is a variable set to a number other than 0, as Courier's switches are?
pub fn is_on(name: &str) -> bool {
    own_set(name).is_some_and(|value| leading_number(value) != 0)
}

fn number(name: &str, default: u32, lowest: u32, highest: u32) -> u32 {
    match own_set(name) {
        Some(value) if value.first().is_some_and(u8::is_ascii_digit) => leading_number(value).clamp(lowest, highest),
        _ => default,
    }
}

/// The number a value begins with, and 0 where there is none.
fn leading_number(value: &[u8]) -> u32 {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number: u32, digit| number.saturating_mul(10).saturating_add(u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_courier_reads_them() {
        assert_eq!(leading_number(b"12x"), 12);
        assert_eq!(leading_number(b"YES"), 0);
        assert_eq!(leading_number(b""), 0);
        assert_eq!(leading_number(b"99999999999"), u32::MAX);
        assert_eq!(number("DAISYCHAIN_NOT_SET", 7, 0, 9), 7);
    }
}
