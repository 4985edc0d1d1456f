//! The words of a command: atoms, strings, numbers (RFC 3501 section 9).

use crate::class;
use crate::error::{Parsed, limit, syntax};
use crate::rules::Rules;

/// Walks over the bytes of one command.
pub(crate) struct Lexer<'a> {
    rest: &'a [u8],
    pub rules: &'a Rules,
}

impl<'a> Lexer<'a> {
    pub fn new(bytes: &'a [u8], rules: &'a Rules) -> Lexer<'a> {
        Lexer { rest: bytes, rules }
    }

    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes this byte if it is the next.
    pub fn eat(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((&first, rest)) if first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    pub fn expect(&mut self, byte: u8, text: &'static str) -> Parsed<()> {
        if self.eat(byte) { Ok(()) } else { Err(syntax(text)) }
    }

    /// The one space between two arguments.
    pub fn space(&mut self) -> Parsed<()> {
        self.expect(b' ', "Missing argument")
    }

    /// Whether the command's line ends here.
    pub fn at_end(&self) -> bool {
        matches!(self.rest, b"\r\n" | b"\n" | b"")
    }

    /// The end of the command; blanks before it are forgiven.
    pub fn end(&mut self) -> Parsed<()> {
        while self.eat(b' ') {}
        if self.at_end() { Ok(()) } else { Err(syntax("Unexpected argument")) }
    }

    /// The longest run of bytes of this class, maybe empty.
    pub fn take_while(&mut self, class: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().position(|&byte| !class(byte)).unwrap_or(self.rest.len());
        self.take(length).unwrap_or_default()
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn run(&mut self, class: impl Fn(u8) -> bool, text: &'static str) -> Parsed<&'a [u8]> {
        let taken = self.take_while(class);
        if taken.is_empty() { Err(syntax(text)) } else { Ok(taken) }
    }

    pub fn atom(&mut self) -> Parsed<&'a [u8]> {
        self.run(class::atom, "Atom expected")
    }

    /// A word of the grammar's own: letters, digits and what joins them.
    pub fn word(&mut self) -> Parsed<&'a [u8]> {
        self.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'='), "Word expected")
    }

    pub fn astring(&mut self) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => Ok(self.run(class::astring, "String expected")?.to_vec()),
        }
    }

    /// A LIST pattern: as an astring, with wildcards.
    pub fn list_mailbox(&mut self) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => Ok(self.run(class::list, "Pattern expected")?.to_vec()),
        }
    }

    /// An argument of LOGIN: any visible bytes, as people's passwords have them, stand for themselves.
    pub fn credential(&mut self) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"') => self.quoted(|byte| byte >= 0x80),
            Some(b'{') if self.literal_size().is_some() => self.literal(),
            _ => Ok(self.run(|byte| byte > b' ' && byte != 0x7f, "String expected")?.to_vec()),
        }
    }

    pub fn string(&mut self) -> Parsed<Vec<u8>> {
        if self.peek() == Some(b'{') {
            return self.literal();
        }
        let utf8 = self.rules.utf8;
        let text = self.quoted(|byte| utf8 && byte >= 0x80)?;
        if utf8 && std::str::from_utf8(&text).is_err() {
            return Err(syntax("Invalid UTF-8 in quoted string"));
        }
        Ok(text)
    }

    /// A string, or the word NIL: here alone it is special.
    pub fn nstring(&mut self) -> Parsed<Option<Vec<u8>>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string().map(Some),
            _ if self.atom()?.eq_ignore_ascii_case(b"NIL") => Ok(None),
            _ => Err(syntax("String or NIL expected")),
        }
    }

    fn quoted(&mut self, eight_bit: impl Fn(u8) -> bool) -> Parsed<Vec<u8>> {
        self.expect(b'"', "String expected")?;
        // Enough at once: a password that moves in memory would leave a copy.
        let mut text = Vec::with_capacity(self.quoted_length().ok_or(syntax("Unterminated quoted string"))?);
        loop {
            let plain = self.take_while(|byte| class::quoted(byte) || eight_bit(byte));
            text.extend_from_slice(plain);
            if self.eat(b'"') {
                return Ok(text);
            }
            self.expect(b'\\', "Invalid character in quoted string")?;
            match self.peek() {
                Some(byte @ (b'"' | b'\\')) => {
                    self.eat(byte);
                    text.push(byte);
                }
                _ => return Err(syntax("Invalid escape in quoted string")),
            }
        }
    }

    fn quoted_length(&self) -> Option<usize> {
        let mut escaped = false;
        self.rest.iter().position(|&byte| {
            let end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            end
        })
    }

    /// `{n}` with its data behind the line end. NUL is for literal8 only.
    fn literal(&mut self) -> Parsed<Vec<u8>> {
        let (size, announced) = self.literal_size().ok_or(syntax("Invalid literal"))?;
        self.take(announced).ok_or(syntax("Invalid literal"))?;
        let data = usize::try_from(size).ok().and_then(|size| self.take(size)).ok_or(syntax("Incomplete literal"))?;
        if data.contains(&0) { Err(syntax("NUL in literal")) } else { Ok(data.to_vec()) }
    }

    /// Size, and length of the announcement with its line end.
    fn literal_size(&self) -> Option<(u64, usize)> {
        let length = crate::framing::line_end(self.rest)?;
        let mut scan = Lexer::new(self.rest.get(..length)?, self.rules);
        scan.expect(b'{', "").ok()?;
        let size = scan.number64().ok()?;
        scan.eat(b'+');
        scan.expect(b'}', "").ok()?;
        scan.at_end().then_some((size, length))
    }

    pub fn number64(&mut self) -> Parsed<u64> {
        let digits = self.run(|byte| byte.is_ascii_digit(), "Number expected")?;
        let value = digits
            .iter()
            .try_fold(0u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0'))));
        value.filter(|&value| value <= i64::MAX as u64).ok_or(syntax("Number too large"))
    }

    pub fn number(&mut self) -> Parsed<u32> {
        u32::try_from(self.number64()?).map_err(|_| syntax("Number too large"))
    }

    pub fn nz_number(&mut self) -> Parsed<u32> {
        match self.number()? {
            0 => Err(syntax("Number must not be zero")),
            number => Ok(number),
        }
    }

    /// `( item *(SP item) )`, never empty; what `item` makes of it is collected.
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.expect(b'(', "List expected")?;
        let mut items = vec![item(self)?];
        while self.eat(b' ') {
            if items.len() >= self.rules.items {
                return Err(limit("Too many items"));
            }
            items.push(item(self)?);
        }
        self.expect(b')', "Unterminated list")?;
        Ok(items)
    }

    /// As [`Self::list`], but `()` is a list too.
    pub fn list_or_empty<T>(&mut self, item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        if let Some(rest) = self.rest.strip_prefix(b"()") {
            self.rest = rest;
            return Ok(Vec::new());
        }
        self.list(item)
    }
}
