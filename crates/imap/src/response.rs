//! Answers: status lines with their codes, and the untagged lines of mailboxes (RFC 3501 section 7).

use crate::class;
use crate::flag::{Flag, Flags, is_keyword};
use crate::numbers::NumberSet;
use crate::write;

/// The first word of a status line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the RFC's own")]
pub enum Status {
    Ok,
    No,
    Bad,
    Bye,
    Preauth,
}

/// A response code (RFC 3501 section 7.1, RFC 5530 and others).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the RFCs' own")]
pub enum Code<'a> {
    Alert,
    AlreadyExists,
    AppendUid {
        validity: u32,
        uids: &'a NumberSet,
    },
    AuthenticationFailed,
    AuthorizationFailed,
    BadCharset(&'a [&'a [u8]]),
    Cannot,
    /// The list without the word CAPABILITY.
    Capability(&'a [u8]),
    ClientBug,
    Closed,
    ContactAdmin,
    /// Source and target name the messages in the same order.
    CopyUid {
        validity: u32,
        source: &'a NumberSet,
        target: &'a NumberSet,
    },
    Corruption,
    Expired,
    ExpungeIssued,
    HasChildren,
    InUse,
    Limit,
    NonExistent,
    NoPerm,
    OverQuota,
    Parse,
    /// `create` says that new keywords may be made.
    PermanentFlags {
        system: Flags,
        keywords: &'a [&'a [u8]],
        create: bool,
    },
    PrivacyRequired,
    ReadOnly,
    ReadWrite,
    ServerBug,
    TooBig,
    TryCreate,
    UidNext(u32),
    UidNotSticky,
    UidValidity(u32),
    Unavailable,
    /// One that was made ready before, without its brackets.
    Written(&'a [u8]),
    /// The number of the first unseen message.
    Unseen(u32),
}

/// The status line that ends a command.
pub fn tagged(out: &mut Vec<u8>, tag: &[u8], status: Status, code: Option<Code<'_>>, text: &[u8]) {
    out.extend_from_slice(tag);
    status_line(out, status, code, text);
}

/// A status line by itself.
pub fn untagged(out: &mut Vec<u8>, status: Status, code: Option<Code<'_>>, text: &[u8]) {
    out.push(b'*');
    status_line(out, status, code, text);
}

/// `+ text`: the client may go on.
pub fn continuation(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(b"+ ");
    visible(out, text);
    out.extend_from_slice(b"\r\n");
}

/// `* 3 EXISTS`, and RECENT and EXPUNGE.
pub fn numbered(out: &mut Vec<u8>, number: u32, name: &[u8]) {
    out.extend_from_slice(b"* ");
    write::number(out, u64::from(number));
    out.push(b' ');
    out.extend_from_slice(name);
    out.extend_from_slice(b"\r\n");
}

/// `* FLAGS (...)`: what may be set, keywords first as Courier has them.
pub fn flags(out: &mut Vec<u8>, system: Flags, keywords: &[&[u8]]) {
    out.extend_from_slice(b"* FLAGS ");
    let start = out.len();
    flag_list(out, Flags::NONE, false, keywords);
    extend_list(out, start, listed(system).chain([b"\\Recent".as_slice()]));
    out.extend_from_slice(b"\r\n");
}

/// Courier names what may be set in another order than what a message has.
fn listed(system: Flags) -> impl Iterator<Item = &'static [u8]> {
    const ORDER: [Flag; 5] = [Flag::Draft, Flag::Answered, Flag::Flagged, Flag::Deleted, Flag::Seen];
    ORDER.into_iter().filter(move |&flag| system.has(flag)).map(Flag::name)
}

/// `(\Draft \Seen word)`: a message's flags. A keyword that is no atom, as some other program may have left it, is
/// not shown.
pub fn flag_list<K: AsRef<[u8]>>(out: &mut Vec<u8>, system: Flags, recent: bool, keywords: &[K]) {
    let start = out.len();
    out.extend_from_slice(b"()");
    extend_list(out, start, system.iter().map(crate::Flag::name));
    extend_list(out, start, recent.then_some(b"\\Recent".as_slice()).into_iter());
    extend_list(out, start, keywords.iter().map(AsRef::as_ref).filter(|word| is_keyword(word)));
}

/// Adds words to the list that ends the buffer and began at `start`.
fn extend_list<'a>(out: &mut Vec<u8>, start: usize, words: impl Iterator<Item = &'a [u8]>) {
    out.pop();
    for word in words {
        if out.len() > start + 1 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
    out.push(b')');
}

/// `* LIST (\HasNoChildren) "." "INBOX"`; `name` is LIST or LSUB.
pub fn list(out: &mut Vec<u8>, name: &[u8], attributes: &[&[u8]], delimiter: u8, mailbox: &[u8]) {
    out.extend_from_slice(b"* ");
    out.extend_from_slice(name);
    out.extend_from_slice(b" ()");
    let start = out.len() - 2;
    extend_list(out, start, attributes.iter().copied());
    out.push(b' ');
    write::string(out, &[delimiter]);
    out.push(b' ');
    write::string(out, mailbox);
    out.extend_from_slice(b"\r\n");
}

/// `* STATUS "INBOX" (MESSAGES 231)`
pub fn status(out: &mut Vec<u8>, mailbox: &[u8], items: &[(crate::StatusItem, u64)]) {
    out.extend_from_slice(b"* STATUS ");
    write::string(out, mailbox);
    out.extend_from_slice(b" (");
    for (place, &(item, value)) in items.iter().enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(item.name());
        out.push(b' ');
        write::number(out, value);
    }
    out.extend_from_slice(b")\r\n");
}

/// `* CAPABILITY IMAP4rev1 ...`
pub fn capability(out: &mut Vec<u8>, list: &[u8]) {
    out.extend_from_slice(b"* CAPABILITY ");
    out.extend_from_slice(list);
    out.extend_from_slice(b"\r\n");
}

fn status_line(out: &mut Vec<u8>, status: Status, code: Option<Code<'_>>, text: &[u8]) {
    out.extend_from_slice(match status {
        Status::Ok => b" OK ",
        Status::No => b" NO ",
        Status::Bad => b" BAD ",
        Status::Bye => b" BYE ",
        Status::Preauth => b" PREAUTH ",
    });
    if let Some(code) = code {
        out.push(b'[');
        code.write(out);
        out.extend_from_slice(b"] ");
    }
    // A text that begins with a bracket would be read as a code.
    match text {
        b"" => out.extend_from_slice(b"Ok"),
        [b'[', ..] => {
            out.push(b'-');
            visible(out, text);
        }
        _ => visible(out, text),
    }
    out.extend_from_slice(b"\r\n");
}

/// Text as it may stand in a line; anything else becomes a question mark.
fn visible(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().map(|&byte| if matches!(byte, b' '..=b'~') { byte } else { b'?' }));
}

impl Code<'_> {
    /// Appends the code without its brackets.
    pub fn write(&self, out: &mut Vec<u8>) {
        match *self {
            Code::AppendUid { validity, uids } => {
                named_number(out, b"APPENDUID", validity);
                out.push(b' ');
                uids.write(out);
            }
            Code::CopyUid { validity, source, target } => {
                named_number(out, b"COPYUID", validity);
                out.push(b' ');
                source.write(out);
                out.push(b' ');
                target.write(out);
            }
            Code::BadCharset(charsets) => {
                out.extend_from_slice(b"BADCHARSET ()");
                let start = out.len() - 2;
                extend_list(out, start, charsets.iter().copied());
            }
            Code::Capability(list) => {
                out.extend_from_slice(b"CAPABILITY ");
                out.extend_from_slice(list);
            }
            Code::PermanentFlags { system, keywords, create } => {
                out.extend_from_slice(b"PERMANENTFLAGS ()");
                let start = out.len() - 2;
                extend_list(out, start, keywords.iter().copied().filter(|word| is_keyword(word)));
                extend_list(out, start, create.then_some(b"\\*".as_slice()).into_iter());
                extend_list(out, start, listed(system));
            }
            Code::Written(bytes) => out.extend_from_slice(bytes),
            Code::UidNext(number) => named_number(out, b"UIDNEXT", number),
            Code::UidValidity(number) => named_number(out, b"UIDVALIDITY", number),
            Code::Unseen(number) => named_number(out, b"UNSEEN", number),
            _ => out.extend_from_slice(self.word()),
        }
    }

    /// The codes that are one word.
    const fn word(&self) -> &'static [u8] {
        match self {
            Code::Alert => b"ALERT",
            Code::AlreadyExists => b"ALREADYEXISTS",
            Code::AuthenticationFailed => b"AUTHENTICATIONFAILED",
            Code::AuthorizationFailed => b"AUTHORIZATIONFAILED",
            Code::Cannot => b"CANNOT",
            Code::ClientBug => b"CLIENTBUG",
            Code::Closed => b"CLOSED",
            Code::ContactAdmin => b"CONTACTADMIN",
            Code::Corruption => b"CORRUPTION",
            Code::Expired => b"EXPIRED",
            Code::ExpungeIssued => b"EXPUNGEISSUED",
            Code::HasChildren => b"HASCHILDREN",
            Code::InUse => b"INUSE",
            Code::Limit => b"LIMIT",
            Code::NonExistent => b"NONEXISTENT",
            Code::NoPerm => b"NOPERM",
            Code::OverQuota => b"OVERQUOTA",
            Code::Parse => b"PARSE",
            Code::PrivacyRequired => b"PRIVACYREQUIRED",
            Code::ReadOnly => b"READ-ONLY",
            Code::ReadWrite => b"READ-WRITE",
            Code::ServerBug => b"SERVERBUG",
            Code::TooBig => b"TOOBIG",
            Code::TryCreate => b"TRYCREATE",
            Code::UidNotSticky => b"UIDNOTSTICKY",
            Code::Unavailable => b"UNAVAILABLE",
            Code::AppendUid { .. }
            | Code::BadCharset(_)
            | Code::Capability(_)
            | Code::CopyUid { .. }
            | Code::PermanentFlags { .. }
            | Code::UidNext(_)
            | Code::UidValidity(_)
            | Code::Unseen(_)
            | Code::Written(_) => b"",
        }
    }
}

fn named_number(out: &mut Vec<u8>, name: &[u8], number: u32) {
    out.extend_from_slice(name);
    out.push(b' ');
    write::number(out, u64::from(number));
}

/// The answer's tag must be one: a session that has none says `*`.
pub fn is_tag(tag: &[u8]) -> bool {
    !tag.is_empty() && tag.iter().all(|&byte| class::tag(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flag;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_status_text_is_never_empty_and_never_looks_like_a_code() {
        assert_eq!(written(|out| tagged(out, b"a", Status::Ok, None, b"")), "a OK Ok\r\n");
        assert_eq!(written(|out| untagged(out, Status::Bye, Some(Code::Alert), b"")), "* BYE [ALERT] Ok\r\n");
        assert_eq!(written(|out| tagged(out, b"a", Status::No, None, b"[x] y")), "a NO -[x] y\r\n");
        assert_eq!(written(|out| tagged(out, b"a", Status::Bad, None, b"a\r\nb\0\xe9")), "a BAD a??b??\r\n");
        assert_eq!(written(|out| continuation(out, b"")), "+ \r\n");
    }

    #[test]
    fn codes() {
        let code = |code: Code<'_>| written(|out| untagged(out, Status::Ok, Some(code), b"t"));
        let uids: NumberSet = [1, 2, 3, 9].into_iter().collect();
        let one: NumberSet = [7].into_iter().collect();
        assert_eq!(code(Code::AppendUid { validity: 38, uids: &one }), "* OK [APPENDUID 38 7] t\r\n");
        assert_eq!(
            code(Code::CopyUid { validity: 38, source: &uids, target: &one }),
            "* OK [COPYUID 38 1:3,9 7] t\r\n"
        );
        assert_eq!(code(Code::BadCharset(&[b"US-ASCII", b"UTF-8"])), "* OK [BADCHARSET (US-ASCII UTF-8)] t\r\n");
        assert_eq!(code(Code::UidNext(4_294_967_295)), "* OK [UIDNEXT 4294967295] t\r\n");
        assert_eq!(code(Code::ReadOnly), "* OK [READ-ONLY] t\r\n");
        let permanent =
            |create| Code::PermanentFlags { system: Flag::Seen.into(), keywords: &[b"$Junk", b"b]d"], create };
        assert_eq!(code(permanent(true)), "* OK [PERMANENTFLAGS ($Junk \\* \\Seen)] t\r\n");
        let none = Code::PermanentFlags { system: Flags::NONE, keywords: &[], create: false };
        assert_eq!(code(none), "* OK [PERMANENTFLAGS ()] t\r\n");
    }

    #[test]
    fn untagged_lines() {
        assert_eq!(written(|out| numbered(out, 3, b"EXISTS")), "* 3 EXISTS\r\n");
        assert_eq!(
            written(|out| flags(out, Flags::ALL, &[b"word"])),
            "* FLAGS (word \\Draft \\Answered \\Flagged \\Deleted \\Seen \\Recent)\r\n"
        );
        let keywords: [&[u8]; 2] = [b"a b", b"$Label1"];
        let system = Flags::from(Flag::Seen).with(Flag::Draft);
        assert_eq!(written(|out| flag_list(out, system, true, &keywords)), "(\\Draft \\Seen \\Recent $Label1)");
        assert_eq!(written(|out| flag_list::<&[u8]>(out, Flags::NONE, false, &[])), "()");
        assert_eq!(
            written(|out| list(out, b"LIST", &[b"\\Noselect", b"\\HasChildren"], b'.', b"INBOX.a\"b")),
            "* LIST (\\Noselect \\HasChildren) \".\" \"INBOX.a\\\"b\"\r\n"
        );
        assert_eq!(written(|out| list(out, b"LSUB", &[], b'.', b"")), "* LSUB () \".\" \"\"\r\n");
        let items = [(crate::StatusItem::Messages, 231), (crate::StatusItem::UidNext, 44_292)];
        assert_eq!(written(|out| status(out, b"INBOX", &items)), "* STATUS \"INBOX\" (MESSAGES 231 UIDNEXT 44292)\r\n");
    }

    #[test]
    fn tags() {
        assert!(is_tag(b"a1") && is_tag(b"A.]") && !is_tag(b"") && !is_tag(b"*") && !is_tag(b"a+"));
    }
}
