//! BODY and BODYSTRUCTURE (RFC 3501 section 7.4.2).

use std::io;

use imap::write;
use message::content::{self, ContentType, Disposition, Parameters};
use message::{ContentField, Kind, Part, Structure};

use crate::message::{Message, Source};

impl<S: Source> Message<S> {
    /// Appends BODYSTRUCTURE, or without `extended` BODY.
    pub fn body_structure(&mut self, extended: bool, out: &mut Vec<u8>) -> io::Result<()> {
        // The headers of messages inside are read while the structure is walked.
        let structure = std::mem::take(self.structure_mut()?);
        let result = self.write_parts(&structure, extended, out);
        *self.structure_mut()? = structure;
        result
    }

    fn write_parts(&mut self, structure: &Structure, extended: bool, out: &mut Vec<u8>) -> io::Result<()> {
        let mut steps: Vec<Step<'_>> = structure.root().map(Step::Begin).into_iter().collect();
        while let Some(step) = steps.pop() {
            match step {
                Step::End(part) => write_end(structure, part, extended, out),
                Step::Begin(part) => {
                    out.push(b'(');
                    if part.kind != Kind::Multipart {
                        write_simple(structure, part, out);
                    }
                    steps.push(Step::End(part));
                    let inside: Vec<_> = structure.children(part).collect();
                    if let (Kind::Message, [message]) = (part.kind, inside.as_slice()) {
                        out.push(b' ');
                        self.envelope_of(message.header, message.body, out)?;
                        out.push(b' ');
                    }
                    steps.extend(inside.into_iter().rev().map(Step::Begin));
                }
            }
        }
        Ok(())
    }
}

/// What remains to be written: the stack that recursion would be.
enum Step<'a> {
    Begin(&'a Part),
    End(&'a Part),
}

/// Type to octets, which every part but a multipart has.
fn write_simple(structure: &Structure, part: &Part, out: &mut Vec<u8>) {
    let content = shown_type(structure, part);
    write::string(out, &content.kind);
    out.push(b' ');
    write::string(out, &content.subtype);
    out.push(b' ');
    write_parameters(&content.parameters, out);
    for field in [ContentField::Id, ContentField::Description] {
        out.push(b' ');
        write::nstring(out, structure.field(part, field));
    }
    out.push(b' ');
    write::string(out, content::transfer_encoding(structure.field(part, ContentField::TransferEncoding)));
    out.push(b' ');
    write::number(out, part.body_octets());
}

/// What is not looked into must not be called a multipart or a message: a client would look for what is inside.
fn shown_type(structure: &Structure, part: &Part) -> ContentType {
    let content = structure.content_type(part);
    if part.kind != Kind::Opaque {
        return content;
    }
    ContentType { kind: b"application".to_vec(), subtype: b"octet-stream".to_vec(), parameters: content.parameters }
}

fn write_end(structure: &Structure, part: &Part, extended: bool, out: &mut Vec<u8>) {
    let content = shown_type(structure, part);
    if part.kind == Kind::Multipart {
        out.push(b' ');
        write::string(out, &content.subtype);
        if extended {
            out.push(b' ');
            write_parameters(&content.parameters, out);
        }
    } else {
        if part.kind == Kind::Message || content.is_kind("text") {
            out.push(b' ');
            write::number(out, part.lines);
        }
        if extended {
            out.push(b' ');
            write::nstring(out, structure.field(part, ContentField::Md5));
        }
    }
    if extended {
        write_extension(structure, part, out);
    }
    out.push(b')');
}

/// Disposition, language and location.
fn write_extension(structure: &Structure, part: &Part, out: &mut Vec<u8>) {
    out.push(b' ');
    match structure.field(part, ContentField::Disposition).and_then(Disposition::parse) {
        Some(disposition) => {
            out.push(b'(');
            write::string(out, &disposition.kind);
            out.push(b' ');
            write_parameters(&disposition.parameters, out);
            out.push(b')');
        }
        None => out.extend_from_slice(b"NIL"),
    }
    out.push(b' ');
    let languages = structure.field(part, ContentField::Language).map(content::languages).unwrap_or_default();
    match languages.as_slice() {
        [] => out.extend_from_slice(b"NIL"),
        [one] => write::string(out, one),
        many => {
            out.push(b'(');
            for (place, language) in many.iter().enumerate() {
                if place > 0 {
                    out.push(b' ');
                }
                write::string(out, language);
            }
            out.push(b')');
        }
    }
    out.push(b' ');
    write::nstring(out, structure.field(part, ContentField::Location));
}

fn write_parameters(parameters: &Parameters, out: &mut Vec<u8>) {
    if parameters.is_empty() {
        return out.extend_from_slice(b"NIL");
    }
    for (place, (name, value)) in parameters.iter().enumerate() {
        out.push(if place == 0 { b'(' } else { b' ' });
        write::string(out, name);
        out.push(b' ');
        write::string(out, value);
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, extended: bool) -> String {
        let mut out = Vec::new();
        let mut message = Message::new(text.as_bytes());
        message.body_structure(extended, &mut out).unwrap();
        String::from_utf8_lossy(&out).into_owned()
    }

    const PLAIN: &str = "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\"";

    #[test]
    fn a_text() {
        assert_eq!(shown("Subject: x\n\none\ntwo\n", false), format!("{PLAIN} 10 2)"));
        assert_eq!(shown("", true), format!("{PLAIN} 0 0 NIL NIL NIL NIL)"));
        let full = "Content-Type: text/html; charset=\"utf-8\"; x=\"\"\nContent-ID: <i>\nContent-Description: d e\nContent-MD5: m\n\
            Content-Transfer-Encoding: quoted-printable\nContent-Disposition: attachment; filename=\"a b\"\nContent-Language: en, de\n\
            Content-Location: http://x/\n\n<p>\n";
        let wanted = "(\"text\" \"html\" (\"charset\" \"utf-8\" \"x\" \"\") \"<i>\" \"d e\" \"quoted-printable\" 5 1 \"m\" \
            (\"attachment\" (\"filename\" \"a b\")) (\"en\" \"de\") \"http://x/\")";
        assert_eq!(shown(full, true), wanted);
    }

    #[test]
    fn parts_within_parts() {
        let text = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: message/rfc822\n\
            Content-Disposition: inline\n\nSubject: in\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\nx\n--i--\n--b--\n";
        let envelope = "(NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL)";
        let inner = format!("({PLAIN} 1 0) \"alternative\")");
        assert_eq!(
            shown(text, false),
            format!("({PLAIN} 3 0)(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 79 {envelope} {inner} 6) \"mixed\")")
        );
        let inner = format!("({PLAIN} 1 0 NIL NIL NIL NIL) \"alternative\" (\"boundary\" \"i\") NIL NIL NIL)");
        assert_eq!(
            shown(text, true),
            format!(
                "({PLAIN} 3 0 NIL NIL NIL NIL)(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 79 {envelope} {inner} 6 \
                NIL (\"inline\" NIL) NIL NIL) \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)"
            )
        );
    }

    #[test]
    fn what_is_broken_has_a_grammatical_shape() {
        assert_eq!(shown("Content-Type: multipart/mixed\n\nx", false), format!("({PLAIN} 0 0) \"mixed\")"));
        let encoded = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3Vi\n";
        assert_eq!(shown(encoded, false), "(\"application\" \"octet-stream\" NIL NIL NIL \"base64\" 6)");
        let global = "Content-Type: message/global\n\nx";
        assert_eq!(shown(global, false), "(\"message\" \"global\" NIL NIL NIL \"7BIT\" 1)");
    }

    #[test]
    fn the_structure_is_there_again_afterwards() {
        let mut message = Message::new(b"Subject: x\n\none\n".as_slice());
        let (mut first, mut second) = (Vec::new(), Vec::new());
        message.body_structure(true, &mut first).unwrap();
        message.body_structure(true, &mut second).unwrap();
        assert_eq!(first, second);
        assert_eq!(message.size().unwrap(), 19);
    }
}
