//! LOGIN and AUTHENTICATE (RFC 3501 section 6.2, RFC 4959).

use std::fmt;

use crate::error::{Parsed, syntax};
use crate::lexer::Lexer;

/// LOGIN's two arguments, each allocated once: who takes them over can wipe them.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: Vec<u8>,
    /// The password.
    pub password: Vec<u8>,
}

/// AUTHENTICATE's arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct Authenticate {
    /// The mechanism in upper case.
    pub mechanism: Vec<u8>,
    /// The initial response, still in base64; empty for "=".
    pub initial: Option<Vec<u8>>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login {{ user: {:?}, .. }}", self.user.escape_ascii().to_string())
    }
}

impl fmt::Debug for Authenticate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authenticate {{ mechanism: {:?}, .. }}", self.mechanism.escape_ascii().to_string())
    }
}

pub(crate) fn login(lexer: &mut Lexer<'_>) -> Parsed<Login> {
    lexer.space()?;
    let user = lexer.credential()?;
    lexer.space()?;
    let password = lexer.credential()?;
    Ok(Login { user, password })
}

pub(crate) fn authenticate(lexer: &mut Lexer<'_>) -> Parsed<Authenticate> {
    lexer.space()?;
    let mechanism = lexer.atom()?.to_ascii_uppercase();
    if !lexer.eat(b' ') || lexer.at_end() {
        return Ok(Authenticate { mechanism, initial: None });
    }
    let initial = lexer.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    match initial {
        b"" => Err(syntax("Base64 expected")),
        b"=" => Ok(Authenticate { mechanism, initial: Some(Vec::new()) }),
        _ => Ok(Authenticate { mechanism, initial: Some(initial.to_vec()) }),
    }
}
