//! How an authentication module ends: it becomes one program or another.

use crate::environment::{Environment, Stage, own, own_set};
use crate::exec::{Next, exec, exec_as};
use crate::{Identity, Program, Request, exit, reason};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// More arguments than this no login program has.
const ARGUMENTS: usize = 256;

/// An account that was logged in.
pub struct Accepted<'a> {
    /// Who to become.
    pub identity: Identity,
    /// Home directory: where the next program starts.
    pub home: &'a [u8],
    /// The account's canonical name.
    pub name: &'a [u8],
    /// Mail address, or empty.
    pub address: &'a [u8],
    /// Full name, or empty.
    pub fullname: &'a [u8],
    /// Maildir, relative to home; empty: the default.
    pub maildir: &'a [u8],
    /// Quota, or empty.
    pub quota: &'a [u8],
    /// `name=value,name=value`, or empty.
    pub options: &'a [u8],
    /// Given where the request came in the checkpassword dialect, whose programs expect `USER`
    /// and `SHELL` too.
    pub shell: Option<&'a [u8]>,
}

/// This program's place in the chain: its name in messages and its arguments, of which those
/// behind the first are the rest of the chain.
pub struct Chain {
    program: Program,
    args: Vec<OsString>,
}

impl Chain {
    /// The place of this program. Without a program behind it, it ends here: `AUTHFAILURE`.
    pub fn of_this_program(program: Program) -> Chain {
        Chain::with_arguments(program, std::env::args_os().collect())
    }

    /// For a program with arguments of its own, which it has taken out: `args[0]` is the program,
    /// `args[1]` the next.
    pub fn with_arguments(program: Program, args: Vec<OsString>) -> Chain {
        Chain { program, args }
    }

    /// Did an earlier module log somebody in? Then this one steps aside: [`Chain::skip`].
    pub fn is_authenticated(&self) -> bool {
        own_set("AUTHENTICATED").is_some()
    }

    /// Is there a login program to go back to?
    pub fn has_login(&self) -> bool {
        own_set("AUTHUSER").is_some()
    }

    /// Accept: become the account, stand in its home, say so, go on.
    pub fn accept(&self, account: &Accepted<'_>) -> ! {
        // A look while there is still a way back; what only the account may not, is told below.
        if let Err(e) = enter(account.home) {
            self.warn_of("unable to chdir to", account.home, &e);
            self.fail_completely()
        }
        if let Err(e) = account.identity.assume() {
            self.program.fatal(e.code(), e.to_string().as_bytes())
        }
        if let Err(e) = enter(account.home) {
            self.warn_of("unable to chdir to", account.home, &e);
            std::process::exit(exit::TEMPORARY)
        }
        let mut next = Environment::inherited(Stage::Account);
        describe(account, &mut next);
        self.go_on(&next, None)
    }

    /// Reject, be the user unknown or the password wrong: the next module gets the same request.
    pub fn reject(&self, request: &Request) -> ! {
        match request.into_pipe() {
            Ok(pipe) => self.go_on(&module_environment(), Some(pipe)),
            Err(e) => {
                let what = format!("unable to pass the request on: {}", reason(&e));
                self.program.warn(what.as_bytes());
                self.fail_completely()
            }
        }
    }

    /// Step aside: an earlier module accepted.
    pub fn skip(&self) -> ! {
        self.go_on(&Environment::inherited(Stage::Account), None)
    }

    /// Fail completely: no later module is asked, the client hears of a temporary failure.
    /// Without a login program to go back to, end with the code for that.
    pub fn fail_completely(&self) -> ! {
        if !self.has_login() {
            std::process::exit(exit::TEMPORARY)
        }
        let mut next = module_environment();
        next.set("AUTHREASON", b"temp");
        self.run_login(&next)
    }

    /// Nobody was logged in: back to the login program, which refuses the client. Without one,
    /// end with the code by which checkpassword's callers know a refusal.
    pub fn back_to_login(&self) -> ! {
        if !self.has_login() {
            std::process::exit(exit::REFUSED)
        }
        let mut next = module_environment();
        next.unset("AUTHREASON");
        self.run_login(&next)
    }

    /// The contract is broken beyond a way back.
    pub fn broken(&self) -> ! {
        let _ = nix::unistd::write(sys::descriptors::standard(2), b"AUTHFAILURE\n");
        std::process::exit(exit::PERMANENT)
    }

    fn go_on(&self, environment: &Environment, request: Option<std::os::fd::OwnedFd>) -> ! {
        let args = self.args.get(1..).unwrap_or_default();
        let Some(path) = args.first() else { self.broken() };
        let error = exec(Next { args, environment, request });
        self.unable_to_run(path, &error)
    }

    fn run_login(&self, next: &Environment) -> ! {
        let (Some(path), Some(args)) = (own_set("AUTHUSER"), login_arguments()) else { self.broken() };
        let path = OsStr::from_bytes(path);
        let error = exec_as(path, &args, next, None);
        self.unable_to_run(path, &error)
    }

    fn unable_to_run(&self, path: &OsStr, error: &io::Error) -> ! {
        self.warn_of("unable to run", path.as_bytes(), error);
        std::process::exit(exit::TEMPORARY)
    }

    fn warn_of(&self, what: &str, object: &[u8], error: &io::Error) {
        let reason = reason(error);
        let words = [what.as_bytes(), b" ", object, b": ", reason.as_bytes()];
        self.program.warn(&words.concat());
    }
}

fn enter(home: &[u8]) -> io::Result<()> {
    // An empty home would mean the directory of whoever started the service.
    if !home.starts_with(b"/") {
        return Err(io::ErrorKind::NotFound.into());
    }
    std::env::set_current_dir(OsStr::from_bytes(home))
}

fn describe(account: &Accepted<'_>, next: &mut Environment) {
    next.set("AUTHENTICATED", account.name);
    next.set("AUTHADDR", account.address);
    next.set("AUTHFULLNAME", account.fullname);
    next.set("MAILDIR", account.maildir);
    next.set("MAILDIRQUOTA", account.quota);
    next.set("OPTIONS", account.options);
    next.set("HOME", account.home);
    if let Some(shell) = account.shell {
        next.set("USER", account.name);
        next.set("SHELL", shell);
    }
}

/// `AUTHENTICATED` is set, and empty, as the login program of old leaves it.
fn module_environment() -> Environment {
    let mut next = Environment::inherited(Stage::Module);
    next.set("AUTHENTICATED", b"");
    next
}

/// `AUTHARGV0` up to the number in `AUTHARGC`.
fn login_arguments() -> Option<Vec<OsString>> {
    let count: usize = std::str::from_utf8(own("AUTHARGC")?).ok()?.parse().ok()?;
    if count > ARGUMENTS {
        return None;
    }
    (0..count).map(|n| own(&format!("AUTHARGV{n}")).map(|arg| OsString::from_vec(arg.to_vec()))).collect()
}
