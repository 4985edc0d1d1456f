//! Words of the shell's assignment language: quotes, backslashes, `$NAME` and `${NAME:-text}`. Nothing is run.

use crate::settings::{Settings, begins_name, continues_name};

/// How deep `${A:-${B:-...}}` may nest.
const DEEPEST: usize = 16;

/// A position in the text of a file. Carriage returns at line ends outside quotes are passed over.
pub struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    /// The line of `at`, from 1.
    pub line: usize,
    /// Whether a carriage return was passed over.
    pub carriage_returns: bool,
}

/// Where a word stands.
#[derive(Clone, Copy, PartialEq)]
enum Context {
    /// A value: ends at a blank, a line end or `;`.
    Value,
    /// Between double quotes.
    Quoted,
    /// The text of `${NAME:-text}` outside quotes: ends at `}`.
    Brace,
    /// The same between double quotes.
    QuotedBrace,
}

impl<'a> Lexer<'a> {
    /// At the beginning of a text.
    pub fn new(text: &'a [u8]) -> Self {
        Lexer { text, at: 0, line: 1, carriage_returns: false }
    }

    /// The next byte.
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at.saturating_add(ahead)).copied()
    }

    /// Takes the next byte.
    pub fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at = self.at.saturating_add(1);
        if byte == b'\n' {
            self.line = self.line.saturating_add(1);
        }
        Some(byte)
    }

    /// Takes the next byte if it is this one.
    pub fn take(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        if here {
            self.next();
        }
        here
    }

    /// Passes over blanks, joined lines and carriage returns at line ends.
    pub fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => {}
                Some(b'\\') if self.peek_at(1) == Some(b'\n') => {
                    self.next();
                }
                Some(b'\r') if self.at_line_end() => self.carriage_returns = true,
                _ => return,
            }
            self.next();
        }
    }

    fn at_line_end(&self) -> bool {
        matches!(self.peek_at(1), Some(b'\n') | None)
    }

    /// Passes over the rest of the line.
    pub fn skip_comment(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.next();
        }
    }

    /// A name, possibly empty.
    pub fn name(&mut self) -> &'a [u8] {
        let from = self.at;
        if self.peek().is_some_and(begins_name) {
            while self.peek().is_some_and(continues_name) {
                self.next();
            }
        }
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// What follows, without taking it: whether the rest of the line has this byte.
    pub fn line_has(&self, byte: u8) -> bool {
        self.text.iter().skip(self.at).take_while(|&&other| other != b'\n').any(|&other| other == byte)
    }

    /// Whether an assignment begins here.
    pub fn at_assignment(&self) -> bool {
        let mut ahead = Lexer { text: self.text, ..*self };
        !ahead.name().is_empty() && ahead.peek() == Some(b'=')
    }

    /// A value with everything replaced that stands for something else.
    pub fn value(&mut self, settings: &mut Settings) -> Result<Vec<u8>, &'static str> {
        let mut out = Vec::new();
        self.word(Context::Value, settings, &mut out, 0)?;
        Ok(out)
    }

    fn word(
        &mut self,
        context: Context,
        settings: &mut Settings,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), &'static str> {
        if depth > DEEPEST {
            return Err("expansions are nested too deeply");
        }
        while let Some(byte) = self.peek() {
            if self.ends(context, byte) {
                return Ok(());
            }
            self.next();
            match byte {
                0 => return Err("a NUL byte"),
                b'\\' => self.backslash(context, out)?,
                b'`' => return Err("command substitution is not supported"),
                b'$' => self.dollar(context, settings, out, depth)?,
                b'\'' if context == Context::Value || context == Context::Brace => self.single_quotes(out)?,
                b'"' if context == Context::Value || context == Context::Brace => {
                    self.word(Context::Quoted, settings, out, depth.saturating_add(1))?;
                    self.take(b'"');
                }
                b'"' | b'\'' if context == Context::QuotedBrace => return Err("a quote inside a quoted ${...}"),
                b'|' | b'&' | b'<' | b'>' | b'(' | b')' | b'{' if context == Context::Value => {
                    return Err(operator(byte));
                }
                _ => out.push(byte),
            }
        }
        match context {
            Context::Value => Ok(()),
            Context::Quoted => Err("a double quote is not closed"),
            Context::Brace | Context::QuotedBrace => Err("a ${ is not closed"),
        }
    }

    fn ends(&mut self, context: Context, byte: u8) -> bool {
        match context {
            Context::Value => {
                let carriage_return = byte == b'\r' && self.at_line_end();
                carriage_return || matches!(byte, b' ' | b'\t' | b'\n' | b';')
            }
            Context::Quoted => byte == b'"',
            Context::Brace | Context::QuotedBrace => byte == b'}',
        }
    }

    fn single_quotes(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        loop {
            match self.next() {
                Some(b'\'') => return Ok(()),
                Some(0) => return Err("a NUL byte"),
                Some(byte) => out.push(byte),
                None => return Err("a single quote is not closed"),
            }
        }
    }

    /// Between double quotes a backslash quotes only `$`, backquote, `"`, itself and the line end; outside, everything.
    fn backslash(&mut self, context: Context, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let quoted = matches!(context, Context::Quoted | Context::QuotedBrace);
        match self.next() {
            Some(b'\n') => {}
            Some(0) => return Err("a NUL byte"),
            Some(byte @ (b'$' | b'`' | b'"' | b'\\')) => out.push(byte),
            Some(b'}') if context == Context::QuotedBrace => out.push(b'}'),
            Some(byte) => {
                if quoted {
                    out.push(b'\\');
                }
                out.push(byte);
            }
            None => return Err("a backslash at the end of the file"),
        }
        Ok(())
    }

    fn dollar(
        &mut self,
        context: Context,
        settings: &mut Settings,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), &'static str> {
        match self.peek() {
            Some(b'(') if self.peek_at(1) == Some(b'(') => Err("arithmetic is not supported"),
            Some(b'(') => Err("command substitution is not supported"),
            Some(b'{') => {
                self.next();
                self.braces(context, settings, out, depth)
            }
            Some(b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => {
                Err("a special parameter ($1, $@, $$ ...)")
            }
            // Shells disagree about $'...' and $"...".
            Some(b'\'' | b'"') if context == Context::Value || context == Context::Brace => Err("$ before a quote"),
            Some(byte) if begins_name(byte) => {
                let name = self.name();
                out.extend_from_slice(settings.look_up(name).unwrap_or_default());
                Ok(())
            }
            _ => {
                out.push(b'$');
                Ok(())
            }
        }
    }

    /// `${NAME}`, `${NAME-text}`, `${NAME:-text}`, `${NAME:=text}`, behind the `{`.
    fn braces(
        &mut self,
        context: Context,
        settings: &mut Settings,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), &'static str> {
        const UNKNOWN: &str = "only ${NAME}, ${NAME-text}, ${NAME:-text} and ${NAME:=text} are supported";
        let name = self.name();
        if name.is_empty() {
            return Err(UNKNOWN);
        }
        if self.take(b'}') {
            out.extend_from_slice(settings.look_up(name).unwrap_or_default());
            return Ok(());
        }
        let colon = self.take(b':');
        let assigns = match self.next() {
            Some(b'-') => false,
            Some(b'=') if colon => true,
            _ => return Err(UNKNOWN),
        };
        let inner = match context {
            Context::Value | Context::Brace => Context::Brace,
            Context::Quoted | Context::QuotedBrace => Context::QuotedBrace,
        };
        let mut text = Vec::new();
        self.word(inner, settings, &mut text, depth.saturating_add(1))?;
        self.take(b'}');
        match settings.look_up(name) {
            Some(value) if !(colon && value.is_empty()) => out.extend_from_slice(value),
            _ => {
                out.extend_from_slice(&text);
                if assigns {
                    settings.set(name, text);
                }
            }
        }
        Ok(())
    }
}

fn operator(byte: u8) -> &'static str {
    match byte {
        b'|' => "an unquoted |",
        b'&' => "an unquoted &",
        b'<' => "an unquoted <",
        b'>' => "an unquoted >",
        b'(' => "an unquoted (",
        b')' => "an unquoted )",
        _ => "an unquoted {",
    }
}
