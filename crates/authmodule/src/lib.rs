//! What every authentication module does around its one look-up.
//!
//! A module stands in the chain between the login program and the mail server. It reads the login request on descriptor
//! 3, looks the account up in its own store, and becomes one of three things: the account running the next program, the
//! next program with the identical request, or the login program again.
//!
//! ```no_run
//! use authmodule::{Found, Problem, Store};
//!
//! struct Empty;
//!
//! impl Store for Empty {
//!     fn look_up(&self, _service: &[u8], _user: &[u8]) -> Result<Option<Found>, Problem> {
//!         Ok(None)
//!     }
//!     fn sample(&self, _service: &[u8]) -> Option<Vec<u8>> {
//!         None
//!     }
//! }
//!
//! authmodule::run(chain::Program::new("authempty"), &Empty)
//! ```
#![forbid(unsafe_code)]

mod attempt;
mod debug;
mod neighbour;
mod skeleton;
mod system;

pub use attempt::{Attempt, Secret};
pub use debug::Debug;
pub use neighbour::neighbour;
pub use system::{sample_of, system_account};

use account::crypt::{System, Trouble};
use account::{Account, password};
use chain::{Accepted, Chain, Groups, Identity, Program, Request, RequestError, environment, exit};
use nix::sys::prctl::set_dumpable;
use nix::sys::signal::Signal;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// Where a module finds accounts.
pub trait Store {
    /// The account of this name for a service, or none. What cannot be known now is a problem, never "none".
    fn look_up(&self, service: &[u8], user: &[u8]) -> Result<Option<Found>, Problem>;

    /// A stored password of somebody, so that the refusal of an unknown user costs what a wrong password costs.
    fn sample(&self, service: &[u8]) -> Option<Vec<u8>>;
}

/// An account that the store knows.
pub struct Found {
    /// Who it is.
    pub account: Account,
    /// Its stored password for the service.
    pub stored: Option<Zeroizing<Vec<u8>>>,
    /// Whether it may not log in now, whatever the password is.
    pub expired: bool,
}

/// A sentence for the log: the module fails completely.
pub struct Problem(pub Vec<u8>);

/// Decides the login on descriptor 3 and becomes the next program.
pub fn run(program: Program, store: &dyn Store) -> ! {
    let module = Module::begin(program);
    let request = module.request();
    let attempt = module.attempt(&request);
    match module.decide(store, &attempt) {
        Ok(Some(account)) => module.accept(&attempt, &account),
        Ok(None) => {
            module.debug.rejected();
            module.chain.reject(&request)
        }
        Err(Problem(what)) => {
            if !what.is_empty() {
                module.program.warn(&what);
            }
            module.debug.failed();
            module.chain.fail_completely()
        }
    }
}

/// A module at its place in the chain.
pub struct Module {
    /// For messages.
    pub program: Program,
    /// How it ends.
    pub chain: Chain,
    /// What `DEBUG_LOGIN` asks for.
    pub debug: Debug,
    crypt: System,
}

impl Module {
    /// The beginning of every module; one behind an accepting one steps aside here.
    pub fn begin(program: Program) -> Module {
        Module::with_chain(program, Chain::of_this_program(program), std::env::args_os().len())
    }

    /// The same for a module that has taken arguments of its own out of the chain; `length` is what it has left.
    pub fn with_chain(program: Program, chain: Chain, length: usize) -> Module {
        if length < 2 {
            program.warn(b"usage: the module, then the rest of the chain, by full path");
            chain.broken()
        }
        if chain.is_authenticated() {
            chain.skip()
        }
        let crypt = System { checker: neighbour("cryptcheck") };
        // A caller that ignores SIGCHLD would leave no child to wait for.
        sys::process::default_signal(Signal::SIGCHLD);
        // From here on a password is in memory. Where the kernel refuses, nothing is lost but this guard.
        let _ = set_dumpable(false);
        Module { program, chain, debug: Debug::of(program), crypt }
    }

    /// The request on descriptor 3.
    pub fn request(&self) -> Request {
        match Request::read() {
            Ok(request) => request,
            Err(e @ RequestError::Unreadable(_)) => {
                self.program.warn(e.to_string().as_bytes());
                self.chain.fail_completely()
            }
            Err(e) => {
                self.program.warn(e.to_string().as_bytes());
                if self.chain.has_login() { self.chain.broken() } else { std::process::exit(exit::MISUSED) }
            }
        }
    }

    /// What the request asks. One that no store of passwords knows goes on to the next module.
    pub fn attempt<'a>(&self, request: &'a Request) -> Attempt<'a> {
        let attempt = match Attempt::of(request) {
            Ok(Some(attempt)) => attempt,
            Ok(None) => self.chain.reject(request),
            Err(_) => self.malformed(request),
        };
        self.debug.received(&attempt);
        attempt
    }

    /// A request without form is nobody's: in the chain it goes on, and the login program will refuse.
    fn malformed(&self, request: &Request) -> ! {
        if self.chain.has_login() {
            self.chain.reject(request)
        }
        self.program.warn(chain::Malformed.to_string().as_bytes());
        std::process::exit(exit::MISUSED)
    }

    fn decide(&self, store: &dyn Store, attempt: &Attempt<'_>) -> Result<Option<Account>, Problem> {
        let found = store.look_up(attempt.service, attempt.user)?;
        let may = match &attempt.secret {
            Secret::None => found.is_some(),
            Secret::Password(entered) => {
                let stored = found.as_ref().and_then(|found| found.stored.as_deref());
                let stored = stored.map(Vec::as_slice);
                password::decide(stored, entered, || store.sample(attempt.service), &self.crypt).map_err(problem)?
            }
        };
        Ok(found.filter(|found| may && !found.expired).map(|found| found.account))
    }

    /// The account is logged in; the super-user never is.
    pub fn accept(&self, attempt: &Attempt<'_>, account: &Account) -> ! {
        let groups = match &account.system_user {
            Some(name) => Groups::Initgroups(name.clone()),
            None => Groups::Only(account.gid),
        };
        self.accept_with(attempt, account, groups)
    }

    /// The same with supplementary groups that somebody else chose.
    pub fn accept_with(&self, attempt: &Attempt<'_>, account: &Account, groups: Groups) -> ! {
        if account.is_super_user() {
            self.refuse_super_user(attempt)
        }
        self.debug.accepted(account);
        if let Some(skeleton) = environment::own_set("AUTH_MKHOMEDIR_SKEL")
            && let Err(what) = skeleton::create_home(account, Path::new(OsStr::from_bytes(skeleton)))
        {
            self.program.warn(&what);
            self.chain.fail_completely()
        }
        self.chain.accept(&Accepted {
            identity: Identity { uid: account.uid, gid: account.gid, groups },
            home: &account.home,
            name: &account.address,
            address: &account.address,
            fullname: &account.fullname,
            maildir: &account.maildir,
            quota: &account.quota,
            options: &account.options,
            shell: attempt.is_checkpassword.then_some(account.shell.as_slice()),
        })
    }

    /// The client must not learn that the password was right, so in the chain this looks like any refusal.
    fn refuse_super_user(&self, attempt: &Attempt<'_>) -> ! {
        let what = [attempt.user, b": uid 0 and gid 0 are never served"].concat();
        if !self.chain.has_login() {
            self.program.fatal(exit::PERMANENT, &what);
        }
        self.program.warn(&what);
        self.chain.back_to_login()
    }
}

fn problem(trouble: Trouble) -> Problem {
    match trouble {
        Trouble::Reported => Problem(Vec::new()),
        Trouble::System(object, e) => {
            let what = format!("unable to check a password with {}: {}", object.display(), chain::reason(&e));
            Problem(what.into_bytes())
        }
    }
}
