//! Account options: `name=value,name,...`, Courier's `OPTIONS`.

/// An option list.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a>(pub &'a [u8]);

impl<'a> Options<'a> {
    /// The value of the first option of this name; a bare name has the empty value.
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The values of all options of this name: `group` may repeat.
    pub fn all(self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0.split(|&byte| byte == b',').filter_map(move |option| {
            let value = option.strip_prefix(name.as_bytes())?;
            if value.is_empty() { Some(value) } else { value.strip_prefix(b"=") }
        })
    }

    /// Whether an option is on: its value is a number other than zero, or begins like "true" or "yes".
    /// A bare name is not: Courier reads it as zero.
    pub fn is_on(self, name: &str) -> bool {
        let value = self.get(name).unwrap_or_default();
        match value {
            [b't' | b'T' | b'y' | b'Y', ..] => true,
            _ => value.iter().take_while(|byte| byte.is_ascii_digit()).any(|&byte| byte != b'0'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn look_up() {
        let options = Options(b"disablepop3=1,group=a,xgroup=c,group=b,bare,disableimap=0,disablewebmail=Yes,n=007,e=");
        assert_eq!(options.get("group"), Some(&b"a"[..]));
        assert_eq!(options.all("group").collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(options.get("bare"), Some(&b""[..]));
        assert_eq!(options.get("e"), Some(&b""[..]));
        assert_eq!(options.get("disable"), None);
        let on = ["disablepop3", "disablewebmail", "n", "bare", "disableimap", "e", "missing"]
            .map(|name| options.is_on(name));
        assert_eq!(on, [true, true, true, false, false, false, false]);
        assert!(!Options(b"").is_on(""));
    }
}
