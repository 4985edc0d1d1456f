//! A configuration file: comments, blank lines and assignments, nothing else. What else a shell would do is refused
//! with the file's name and the line.

use crate::lexer::Lexer;
use crate::message::{Failure, located};
use crate::settings::{Settings, is_name, refused};
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Where settings come from.
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input, as `cat file | conf2env envdir` has it.
    Stdin,
}

impl Source {
    /// A file by its path.
    pub fn file(path: OsString) -> Self {
        Source::File(PathBuf::from(path))
    }

    fn name(&self) -> &[u8] {
        match self {
            Source::File(path) => path.as_os_str().as_bytes(),
            Source::Stdin => b"stdin",
        }
    }

    fn text(&self) -> Result<Vec<u8>, Failure> {
        let mut text = Vec::new();
        let read = match self {
            Source::File(path) => std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut text)),
            Source::Stdin => std::io::stdin().read_to_end(&mut text),
        };
        read.map(|_| text).map_err(|error| Failure::system("read", self.name(), &error))
    }
}

/// Reads one source into `settings`. Returns the warnings.
pub fn read(source: &Source, lenient: bool, settings: &mut Settings) -> Result<Vec<Vec<u8>>, Failure> {
    let text = source.text()?;
    parse(source.name(), &text, lenient, settings)
}

fn parse(file: &[u8], text: &[u8], lenient: bool, settings: &mut Settings) -> Result<Vec<Vec<u8>>, Failure> {
    let mut reader = Reader { lexer: Lexer::new(text), lenient, warnings: Vec::new() };
    let mut warnings = Vec::new();
    loop {
        match reader.statement(settings) {
            Ok(true) => {}
            Ok(false) => break,
            Err(what) => return Err(Failure::input(file, reader.lexer.line, what)),
        }
        warnings.extend(reader.warnings.drain(..).map(|(line, what)| located(file, line, what)));
    }
    if reader.lexer.carriage_returns {
        warnings.push([file, b": carriage returns at line ends are left out"].concat());
    }
    Ok(warnings)
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    lenient: bool,
    warnings: Vec<(usize, &'static str)>,
}

impl Reader<'_> {
    /// Takes one assignment, comment or separator; false at the end.
    fn statement(&mut self, settings: &mut Settings) -> Result<bool, &'static str> {
        self.lexer.skip_blanks();
        match self.lexer.peek() {
            None => return Ok(false),
            Some(b'\n' | b';') => {
                self.lexer.next();
            }
            Some(b'#') => self.lexer.skip_comment(),
            Some(0) => return Err("a NUL byte"),
            Some(_) => self.assignment(settings)?,
        }
        Ok(true)
    }

    fn assignment(&mut self, settings: &mut Settings) -> Result<(), &'static str> {
        let has_equals = self.lexer.line_has(b'=');
        let mut name = self.lexer.name();
        if name == b"export" && matches!(self.lexer.peek(), Some(b' ' | b'\t')) {
            self.lexer.skip_blanks();
            name = self.lexer.name();
        }
        self.equals(name, has_equals)?;
        if !is_name(name) {
            return Err("a name longer than 255 bytes");
        }
        if refused(name) {
            return Err("LD_* and IFS may not be set");
        }
        let line = self.lexer.line;
        let mut value = self.lexer.value(settings)?;
        if self.lenient && value.is_empty() && self.blank_then_word() {
            self.warnings.push((line, "a blank behind ="));
            value = self.lexer.value(settings)?;
        }
        settings.set(name, value);
        Ok(())
    }

    /// The `=` behind a name. In the lenient reading blanks may stand before it.
    fn equals(&mut self, name: &[u8], has_equals: bool) -> Result<(), &'static str> {
        if !name.is_empty() && self.lexer.take(b'=') {
            return Ok(());
        }
        if !has_equals {
            return Err("no '='");
        }
        match self.lexer.peek() {
            Some(b'+') if !name.is_empty() => return Err("+= is not supported"),
            Some(b'[') if !name.is_empty() => return Err("arrays are not supported"),
            _ => {}
        }
        let line = self.lexer.line;
        self.lexer.skip_blanks();
        if name.is_empty() || !self.lexer.take(b'=') {
            return Err("not an assignment");
        }
        if !self.lenient {
            return Err("a blank before =");
        }
        self.warnings.push((line, "a blank before ="));
        Ok(())
    }

    /// Behind an empty value: whether blanks and then a word follow that is no assignment of its own.
    fn blank_then_word(&mut self) -> bool {
        if !matches!(self.lexer.peek(), Some(b' ' | b'\t')) {
            return false;
        }
        self.lexer.skip_blanks();
        !matches!(self.lexer.peek(), None | Some(b'\n' | b';' | b'#')) && !self.lexer.at_assignment()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settings(text: &str, lenient: bool) -> Result<Vec<(String, String)>, String> {
        let mut settings = Settings::new(vec![(b"preset".to_vec(), b"P".to_vec())]);
        match parse(b"f", text.as_bytes(), lenient, &mut settings) {
            Ok(_) => Ok(settings.iter().map(|(n, v)| (text_of(n), text_of(v))).collect()),
            Err(failure) => Err(format!("{failure:?}")),
        }
    }

    fn text_of(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn value(text: &str) -> String {
        settings(text, false).unwrap().pop().unwrap().1
    }

    #[test]
    fn quotes_join_and_protect() {
        assert_eq!(value("A=a\"b c\"'d e'\\ f"), "ab cd e f");
        assert_eq!(value("A='$x `id` \"'"), "$x `id` \"");
        assert_eq!(value("A=\"\\$x \\a \\\" \\\\\""), "$x \\a \" \\");
        assert_eq!(value("A=\"two\nlines\""), "two\nlines");
        assert_eq!(value("A=one\\\ntwo"), "onetwo");
        assert_eq!(value("A=x#y # comment"), "x#y");
        assert_eq!(value("A=~ "), "~");
        assert_eq!(value("A=*.x;"), "*.x");
    }

    #[test]
    fn names_are_replaced_whole() {
        let head = "IMAP=no\nIMAP_CAPABILITY=\"IMAP4rev1 IDLE\"\n";
        assert_eq!(
            settings(&format!("{head}Z=\"$IMAP_CAPABILITY AUTH=PLAIN\""), false).unwrap()[2].1,
            "IMAP4rev1 IDLE AUTH=PLAIN"
        );
        assert_eq!(value("A=x\nB=pre${A}post$A.y$preset"), "prexpostx.yP");
        assert_eq!(value("A=$unset.$"), ".$");
        assert_eq!(value("A=\nB=${A:-d}${A-e}${C-f}"), "df");
        assert_eq!(value("A=${B:=new}\n"), "new");
        assert_eq!(settings("A=${B:=new}", false).unwrap()[1], ("B".into(), "new".into()));
        assert_eq!(value("A=${B:-${C:-'x y'}z}"), "x yz");
        assert_eq!(value("A='$B'\nB=1\nC=$A"), "$B");
    }

    #[test]
    fn what_a_shell_would_run_is_refused() {
        for text in [
            "A=$(id)",
            "A=`id`",
            "A=\"`id`\"",
            "A=$((1))",
            "A=a|b",
            "A=a&b",
            "A=<x",
            "A=>x",
            "A=(x)",
            "A={x",
            "A='x",
            "A=\"x",
            "A=${x",
            "if true",
            "umask 022",
            ". /x=y",
            "A+=1",
            "A[0]=1",
            "A =1",
            "A= 1",
            "A=$1",
            "A=$$",
            "A=$'x'",
            "LD_PRELOAD=x",
            "IFS=x",
            "A=\0",
            "NAME\tvalue",
            "A=${x%y}",
            "export A",
            "A=\\",
        ] {
            assert!(settings(text, false).is_err(), "{text:?} is accepted");
        }
    }

    #[test]
    fn lenient_reading_takes_blanks_round_the_equals_sign() {
        assert_eq!(
            settings("L =5\nM= 6\nN = 7\nO= P=8", true).unwrap().into_iter().map(|(_, v)| v).collect::<Vec<_>>(),
            ["5", "6", "7", "", "8"]
        );
    }

    #[test]
    fn several_assignments_share_a_line() {
        assert_eq!(settings("A=1 B=2;C=3 # D=4\n export E=5", false).unwrap().len(), 4);
        assert_eq!(settings("A=1\r\nB=2\r\n", false).unwrap()[0].1, "1");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut settings = Settings::new(Vec::new());
            let _ = parse(b"f", &text, true, &mut settings);
        }

        #[test]
        fn a_single_quoted_value_comes_back(value in proptest::collection::vec(1u8..=255, 0..100)) {
            let quoted: Vec<u8> = value.split(|&b| b == b'\'').collect::<Vec<_>>().join(&b"'\\''"[..]);
            let text = [b"KEY='", quoted.as_slice(), b"'"].concat();
            let mut settings = Settings::new(Vec::new());
            parse(b"f", &text, false, &mut settings).unwrap();
            prop_assert_eq!(settings.look_up(b"KEY").unwrap(), value.as_slice());
        }
    }
}
