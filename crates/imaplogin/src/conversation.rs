//! The conversation with a stranger, in the half that has no rights.

use crate::imap_login::ImapLogin;
use imap::response::{self, Code, Status};
use imap::{Authenticate, BeforeLogin, Discard, Framer, Literal, Rules, Step};
use login::{BAD_COMMANDS, End, Login, Outcome, Stop, Wire, base64, sasl};

/// One command more, or the end of the conversation.
type Turn = Result<Option<Outcome>, Stop>;

/// Answers commands until one of them is a login attempt.
pub fn converse(server: &ImapLogin, wire: &mut Wire) -> Result<Outcome, Stop> {
    let mut talk = Talk { server, wire, bad: 0 };
    loop {
        let end = talk.command()?;
        talk.wire.clear();
        if let Some(outcome) = end {
            return Ok(outcome);
        }
        if talk.bad >= BAD_COMMANDS {
            return Ok(Outcome::End(End::Nonsense));
        }
    }
}

struct Talk<'a> {
    server: &'a ImapLogin,
    wire: &'a mut Wire,
    /// How often the client made no sense.
    bad: u32,
}

/// What became of the bytes of a command.
enum Framed {
    /// It is kept whole, and this long.
    Whole(usize),
    /// It was refused, and its bytes are gone.
    Refused,
    /// It cannot be told where the next one begins.
    Lost,
}

impl Talk<'_> {
    fn command(&mut self) -> Turn {
        match self.frame()? {
            Framed::Whole(length) => self.obey(length),
            Framed::Refused => Ok(None),
            Framed::Lost => Ok(Some(Outcome::End(End::Nonsense))),
        }
    }

    /// Takes one command from the wire, and not a byte more.
    fn frame(&mut self) -> Result<Framed, Stop> {
        let mut framer = Framer::new(&Rules::BEFORE_LOGIN);
        // Bytes that belong to the command in any case: a literal's data and a line end.
        let mut certain = 1;
        let mut literals = 0;
        loop {
            self.wire.look(certain)?;
            match framer.step(self.wire.bytes()) {
                Step::More => {
                    self.wire.keep(self.wire.bytes().len())?;
                    certain = 1;
                }
                Step::Complete { end } => {
                    self.wire.keep(end)?;
                    return Ok(Framed::Whole(end));
                }
                Step::Literal(literal) if literal.fits => {
                    self.wire.keep(literal.at)?;
                    framer.take_literal();
                    literals += 1;
                    certain = usize::try_from(literal.size).unwrap_or(0).saturating_add(1);
                    if literal.sync {
                        self.wire.out().extend_from_slice(b"+ OK\r\n");
                    }
                }
                // A client that waits for our word hears it, and goes on with another command.
                Step::Literal(Literal { sync: true, at: end, .. }) | Step::BadLiteral { sync: true, end } => {
                    self.wire.keep(end)?;
                    self.too_long();
                    return Ok(Framed::Refused);
                }
                Step::TooLong { .. } if literals == 0 => return self.discard(),
                Step::Literal(_) | Step::BadLiteral { .. } | Step::TooLong { .. } => {
                    self.too_long();
                    return Ok(Framed::Lost);
                }
            }
        }
    }

    /// Reads over the rest of a line that is too long.
    fn discard(&mut self) -> Result<Framed, Stop> {
        self.too_long();
        let mut discard = Discard::line();
        loop {
            let discarded = discard.push(self.wire.bytes());
            self.wire.keep(discarded.used)?;
            self.wire.clear();
            if discarded.done {
                return Ok(Framed::Refused);
            }
            self.wire.look(1)?;
        }
    }

    fn too_long(&mut self) {
        let tag = imap::peek(self.wire.bytes()).tag.unwrap_or(b"*").to_vec();
        self.bad(&tag, None, b"Command too long");
    }

    fn obey(&mut self, length: usize) -> Turn {
        let bytes = self.wire.bytes().get(..length).unwrap_or_default();
        let parsed = imap::parse_before_login(bytes);
        let name = imap::peek(bytes).name.to_ascii_uppercase();
        self.wire.note(&name);
        let (tag, command) = match parsed {
            Ok(tagged) => (tagged.tag, tagged.command),
            Err(error) => {
                let tag = error.tag.unwrap_or(b"*".to_vec());
                self.bad(&tag, None, error.text.as_bytes());
                return Ok(None);
            }
        };
        match command {
            BeforeLogin::Capability => {
                response::capability(self.wire.out(), &self.server.capabilities);
                self.ok(&tag, b"CAPABILITY completed");
            }
            BeforeLogin::Noop => self.ok(&tag, b"NOOP completed"),
            BeforeLogin::Id(_) => self.identify(&tag),
            BeforeLogin::Logout => {
                response::untagged(self.wire.out(), Status::Bye, None, b"Goodbye");
                self.ok(&tag, b"LOGOUT completed");
                return Ok(Some(Outcome::End(End::Logout)));
            }
            BeforeLogin::Starttls => self.bad(&tag, None, b"STARTTLS is not offered"),
            BeforeLogin::Login(_) | BeforeLogin::Authenticate(_) if self.server.needs_tls => {
                let code = Some(Code::PrivacyRequired);
                response::tagged(self.wire.out(), &tag, Status::No, code, b"Log in over an encrypted connection");
            }
            BeforeLogin::Login(login) => return Ok(self.attempt(tag, sasl::credentials(&login.user, &login.password))),
            BeforeLogin::Authenticate(command) => return self.authenticate(tag, command),
        }
        Ok(None)
    }

    fn identify(&mut self, tag: &[u8]) {
        match &self.server.identity {
            Some(line) => {
                self.wire.out().extend_from_slice(line);
                self.ok(tag, b"ID completed");
            }
            None => response::tagged(self.wire.out(), tag, Status::No, None, b"ID is not offered"),
        }
    }

    fn authenticate(&mut self, tag: Vec<u8>, command: Authenticate) -> Turn {
        match &command.mechanism[..] {
            b"PLAIN" => {
                let Some(message) = self.answer(&tag, b"", command.initial)? else { return Ok(None) };
                Ok(self.attempt(tag, sasl::plain(&message)))
            }
            b"LOGIN" => {
                let [ask_user, ask_password] = sasl::LOGIN_CHALLENGES;
                let Some(user) = self.answer(&tag, ask_user, command.initial)? else { return Ok(None) };
                let Some(password) = self.answer(&tag, ask_password, None)? else { return Ok(None) };
                Ok(self.attempt(tag, sasl::credentials(&user, &password)))
            }
            _ => {
                self.bad += 1;
                let text = b"Mechanism not offered";
                response::tagged(self.wire.out(), &tag, Status::No, Some(Code::Cannot), text);
                Ok(None)
            }
        }
    }

    /// The client's answer to a challenge, decoded; nothing where it cancelled or made no sense.
    fn answer(
        &mut self,
        tag: &[u8],
        challenge: &[u8],
        initial: Option<Vec<u8>>,
    ) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, Stop> {
        let text = match initial {
            Some(text) => zeroize::Zeroizing::new(text),
            None => {
                response::continuation(self.wire.out(), challenge);
                let Some(line) = self.line()? else {
                    self.bad(tag, None, b"Answer too long");
                    return Ok(None);
                };
                line
            }
        };
        if text[..] == *b"*" {
            self.bad(tag, None, b"AUTHENTICATE cancelled");
            return Ok(None);
        }
        let decoded = base64::decode(&text).map(zeroize::Zeroizing::new);
        if decoded.is_none() {
            self.bad(tag, None, b"Invalid base64");
        }
        Ok(decoded)
    }

    /// One line, without its end; nothing where it is too long.
    fn line(&mut self) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, Stop> {
        self.wire.clear();
        loop {
            self.wire.look(1)?;
            let bytes = self.wire.bytes();
            match imap::line_end(bytes) {
                Some(end) => {
                    self.wire.keep(end)?;
                    let line = self.wire.bytes().trim_ascii_end().to_vec();
                    return Ok(Some(zeroize::Zeroizing::new(line)));
                }
                None if bytes.len() >= Rules::BEFORE_LOGIN.command => {
                    self.discard_line()?;
                    return Ok(None);
                }
                None => self.wire.keep(bytes.len())?,
            }
        }
    }

    fn discard_line(&mut self) -> Result<(), Stop> {
        loop {
            let bytes = self.wire.bytes();
            let end = imap::line_end(bytes);
            self.wire.keep(end.unwrap_or(bytes.len()))?;
            self.wire.clear();
            if end.is_some() {
                return Ok(());
            }
            self.wire.look(1)?;
        }
    }

    /// An attempt, or the answer to one that no account could ever pass.
    fn attempt(&mut self, tag: Vec<u8>, credentials: Option<sasl::Credentials>) -> Option<Outcome> {
        match credentials.filter(|credentials| !credentials.password.is_empty()) {
            Some(credentials) => {
                Some(Outcome::Login(Login { tag, user: credentials.user, password: credentials.password }))
            }
            None => {
                self.bad += 1;
                login::Protocol::refuse(self.server, &tag, login::Refusal::Credentials, self.wire.out());
                None
            }
        }
    }

    fn ok(&mut self, tag: &[u8], text: &[u8]) {
        response::tagged(self.wire.out(), tag, Status::Ok, None, text);
    }

    fn bad(&mut self, tag: &[u8], code: Option<Code<'_>>, text: &[u8]) {
        self.bad += 1;
        response::tagged(self.wire.out(), tag, Status::Bad, code, text);
    }
}
