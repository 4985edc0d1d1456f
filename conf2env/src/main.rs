//! conf2env: settings written as `NAME=value` lines, for daemontools' envdir.
//!
//! ```text
//! conf2env ./env /etc/courier/imapd /etc/courier/imapd-ssl
//! exec envdir ./env softlimit -m5000000 tcpserver ...
//! ```
#![forbid(unsafe_code)]

mod envdir;
mod lexer;
mod message;
mod options;
mod parser;
mod settings;

use message::{Failure, warn};
use options::{Mode, Options};
use settings::Settings;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let code = match Options::from_arguments(std::env::args_os().skip(1)).and_then(run) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    };
    ExitCode::from(code)
}

fn run(options: Options) -> Result<u8, Failure> {
    let mut settings = Settings::new(options.presets);
    for source in &options.sources {
        for warning in parser::read(source, options.lenient, &mut settings)? {
            warn(&warning);
        }
    }
    match options.mode {
        Mode::Write(directory) => envdir::write(&directory, &settings, options.lenient).map(|()| 0),
        Mode::Check(directory) => envdir::differs(&directory, &settings, options.lenient).map(u8::from),
        Mode::Exec(program) => Err(execute(&program, &settings)),
    }
}

/// Becomes the program, with the settings added to the environment. Returns only where that fails.
fn execute(program: &[std::ffi::OsString], settings: &Settings) -> Failure {
    let Some((name, arguments)) = program.split_first() else { return Failure::usage() };
    let error = Command::new(name).args(arguments).envs(settings.for_exec()).exec();
    Failure::system("run", name.as_encoded_bytes(), &error)
}
