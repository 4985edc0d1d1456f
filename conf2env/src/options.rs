//! The command line.

use crate::message::Failure;
use crate::parser::Source;
use crate::settings::{Pair, is_name};
use getopts::{Matches, ParsingStyle};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// What to do with the settings.
pub enum Mode {
    /// Make the envdir equal to them.
    Write(PathBuf),
    /// Tell whether it is.
    Check(PathBuf),
    /// Run a program with them.
    Exec(Vec<OsString>),
}

/// A command line, understood.
pub struct Options {
    /// What to do.
    pub mode: Mode,
    /// `-k`: accept what a shell would not, with a warning.
    pub lenient: bool,
    /// `-s`: names that `$NAME` finds where no file sets them.
    pub presets: Vec<Pair>,
    /// The files, in their order.
    pub sources: Vec<Source>,
}

impl Options {
    /// Reads the command line without the program's name.
    pub fn from_arguments(arguments: impl Iterator<Item = OsString>) -> Result<Self, Failure> {
        let mut grammar = getopts::Options::new();
        grammar.parsing_style(ParsingStyle::StopAtFirstFree);
        grammar.optflagmulti("c", "", "").optflagmulti("e", "", "").optflagmulti("k", "", "").optmulti("s", "", "", "");
        let matches = grammar.parse(arguments.map(as_text)).map_err(|_| Failure::usage())?;
        let words: Vec<OsString> = matches.free.iter().map(|text| as_bytes(text)).collect();
        let (mode, files) = if matches.opt_present("e") { exec(&matches, words)? } else { directory(&matches, words)? };
        let sources =
            if files.is_empty() { vec![Source::Stdin] } else { files.into_iter().map(Source::file).collect() };
        Ok(Options { mode, lenient: matches.opt_present("k"), presets: presets(&matches)?, sources })
    }
}

/// `-e file... -- program`: standard input belongs to the program, so there must be a file.
fn exec(matches: &Matches, mut words: Vec<OsString>) -> Result<(Mode, Vec<OsString>), Failure> {
    let dashes = words.iter().position(|word| word == "--").ok_or_else(Failure::usage)?;
    let program = words.split_off(dashes).split_off(1);
    if words.is_empty() || program.is_empty() || matches.opt_present("c") {
        return Err(Failure::usage());
    }
    Ok((Mode::Exec(program), words))
}

fn directory(matches: &Matches, mut words: Vec<OsString>) -> Result<(Mode, Vec<OsString>), Failure> {
    if words.is_empty() {
        return Err(Failure::usage());
    }
    let files = words.split_off(1);
    let path = PathBuf::from(words.remove(0));
    Ok((if matches.opt_present("c") { Mode::Check(path) } else { Mode::Write(path) }, files))
}

fn presets(matches: &Matches) -> Result<Vec<Pair>, Failure> {
    let split = |text: String| {
        let bytes = as_bytes(&text).into_vec();
        let equals = bytes.iter().position(|&byte| byte == b'=').ok_or_else(Failure::usage)?;
        let (name, value) = bytes.split_at(equals);
        if is_name(name) { Ok((name.to_vec(), value.iter().skip(1).copied().collect())) } else { Err(Failure::usage()) }
    };
    matches.opt_strs("s").into_iter().map(split).collect()
}

/// getopts wants text and paths are bytes: one character a byte, and back.
fn as_text(argument: OsString) -> String {
    argument.as_bytes().iter().map(|&byte| char::from(byte)).collect()
}

fn as_bytes(text: &str) -> OsString {
    OsString::from_vec(text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect())
}
