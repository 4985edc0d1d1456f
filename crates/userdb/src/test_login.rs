//! `authtest [-s SERVICE] [-m MODULES] USER [PASSWORD [NEWPASSWORD]]`: a login through a real chain of modules.
//!
//! It becomes the chain: the modules, with itself as the program at the end and as the one that a failure goes back to.

mod change;

use crate::output::print;
use crate::{modules, secret};
use chain::{Environment, Next, Program, Request, Stage, environment, exit, reason};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use zeroize::Zeroizing;

const PROGRAM: Program = Program::new("authtest");
/// Courier's code for a refusal.
const REFUSED: i32 = 1;
/// What it is called with at the end of the chain, and where a module went back.
const AT_END: &str = "-accepted";
const GONE_BACK: &str = "-refused";

/// Runs the program with these arguments; gives its exit code.
pub fn run(args: &[OsString]) -> i32 {
    match args {
        [word] if word == AT_END => return report(),
        [word] if word == GONE_BACK => return failed(),
        _ => {}
    }
    let mut options = getopts::Options::new();
    options.parsing_style(getopts::ParsingStyle::StopAtFirstFree);
    options.optmulti("s", "", "", "").optmulti("m", "", "", "");
    let Ok(chosen) = options.parse(options_of(args)) else {
        return usage();
    };
    let words = args.get(options_of(args).len()..).unwrap_or_default();
    let service = chosen.opt_strs("s").pop().unwrap_or_else(|| "login".to_owned());
    let list = chosen.opt_strs("m").pop();
    match words {
        [user] => become_chain(list.as_deref(), Request::sasl(service.as_bytes(), b"external", &[user.as_bytes()])),
        [user, password] => {
            let password = given(password, b"Password: ");
            become_chain(list.as_deref(), Request::login(service.as_bytes(), user.as_bytes(), &password))
        }
        [user, password, new] => {
            let (old, new) = (given(password, b"Password: "), given(new, b"New password: "));
            change::run(list.as_deref(), &service, user, &old, &new)
        }
        _ => usage(),
    }
}

/// The options in front of the names; a name is bytes, and getopts wants text.
fn options_of(args: &[OsString]) -> &[OsString] {
    let mut length = 0;
    while let Some(word) = args.get(length).map(|arg| arg.as_bytes()) {
        length += match word {
            b"-s" | b"-m" => 2,
            [b'-', b's' | b'm', ..] => 1,
            _ => break,
        };
    }
    args.get(..length).unwrap_or(args)
}

fn usage() -> i32 {
    PROGRAM.fatal(REFUSED, b"usage: authtest [-s service] [-m modules] user [password [newpassword]]")
}

/// A password that is `-` is typed, or read as a line: arguments can be seen by everybody.
fn given(word: &OsString, prompt: &[u8]) -> Zeroizing<Vec<u8>> {
    if word != "-" {
        return Zeroizing::new(word.as_bytes().to_vec());
    }
    match secret::line(prompt, false) {
        Ok(Some(password)) => password,
        Ok(None) => PROGRAM.fatal(REFUSED, b"no password"),
        Err(e) => PROGRAM.fatal(exit::TEMPORARY, format!("unable to read a password: {}", reason(&e)).as_bytes()),
    }
}

fn become_chain(list: Option<&str>, request: Result<Request, chain::Malformed>) -> i32 {
    let own: OsString = authmodule::neighbour("authtest").into();
    let mut args: Vec<OsString> = modules::list(list).into_iter().map(OsString::from).collect();
    args.extend([own.clone(), AT_END.into()]);
    let mut next = Environment::inherited(Stage::Login);
    next.set("AUTHUSER", own.as_bytes());
    next.set("AUTHARGC", b"2");
    next.set("AUTHARGV0", own.as_bytes());
    next.set("AUTHARGV1", GONE_BACK.as_bytes());
    next.set("AUTHENTICATED", b"");
    let Ok(request) = request else {
        PROGRAM.fatal(REFUSED, b"Authentication FAILED: no name or password of a login looks like this");
    };
    let error = match request.into_pipe() {
        Ok(pipe) => chain::exec(Next { args: &args, environment: &next, request: Some(pipe) }),
        Err(e) => e,
    };
    let module = args.first().map(|arg| arg.as_bytes()).unwrap_or_default();
    PROGRAM.fatal(exit::TEMPORARY, &[b"unable to run ", module, b": ", reason(&error).as_bytes()].concat())
}

/// At the end of the chain: who are we?
fn report() -> i32 {
    let Some(name) = environment::own_set("AUTHENTICATED") else {
        return failed();
    };
    let home = std::env::current_dir().unwrap_or_default();
    let text = |name: &str| environment::own_set(name).unwrap_or(b"(none)");
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    let rows: [(&str, &[u8]); 7] = [
        ("Home Directory", home.as_os_str().as_bytes()),
        ("Maildir", text("MAILDIR")),
        ("Quota", text("MAILDIRQUOTA")),
        ("Encrypted Password", b"(not shown)"),
        ("Cleartext Password", b"(not shown)"),
        ("Options", text("OPTIONS")),
        ("Full Name", text("AUTHFULLNAME")),
    ];
    let mut out = b"Authentication succeeded.\n\n".to_vec();
    let mut row = |title: &str, value: &[u8]| {
        out.extend_from_slice(format!("{title:>18}: ").as_bytes());
        out.extend(value.iter().map(|&byte| if byte.is_ascii_control() { b'?' } else { byte }));
        out.push(b'\n');
    };
    row("Authenticated", &[name, format!("  (uid {uid}, gid {gid})").as_bytes()].concat());
    rows.iter().for_each(|(title, value)| row(title, value));
    if print(&out).is_ok() { exit::DONE } else { exit::TEMPORARY }
}

fn failed() -> i32 {
    let why: &[u8] = match environment::own_set("AUTHREASON") {
        Some(_) => b"a module failed and said why on standard error",
        None => b"no module accepts this login",
    };
    // Whoever reads this reads the exit code as well.
    let _ = print(&[b"Authentication FAILED: ", why, b"\n"].concat());
    REFUSED
}
