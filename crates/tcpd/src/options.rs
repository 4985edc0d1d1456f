//! The command line: Courier's options, one dash, `-name=value`.

use crate::limits::Limits;
use crate::ports::{self, Bind, Port};
use crate::rule::Dialect;
use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

/// What is asked for.
#[derive(Debug)]
pub enum Command {
    /// Serve.
    Run(Box<Options>),
    /// `-stop`: end the daemon of this pid file.
    Stop(PathBuf),
    /// `-restart`: have the daemon of this pid file read its access database again.
    Restart(PathBuf),
}

/// Everything a server needs to know.
#[derive(Debug)]
pub struct Options {
    /// `-access`.
    pub access: Option<PathBuf>,
    /// `-accessformat`; none: told by the entries.
    pub access_dialect: Option<Dialect>,
    /// `-accesslocal`.
    pub access_local: bool,
    /// `-denymsg`.
    pub deny_message: Option<Vec<u8>>,
    /// `-drop`: the variables that mark a connection to close.
    pub drop: Vec<Vec<u8>>,
    /// `-user`.
    pub user: Option<String>,
    /// `-group`.
    pub group: Option<String>,
    /// `-haproxy`.
    pub haproxy: Option<Haproxy>,
    /// `-maxprocs` and its kin.
    pub limits: Limits,
    /// `-warn`.
    pub warn: usize,
    /// Not `-nodnslookup`.
    pub dns: bool,
    /// Not `-noidentlookup`.
    pub ident: bool,
    /// `-pid`.
    pub pid: Option<PathBuf>,
    /// `-stderr`.
    pub stderr: Stderr,
    /// `-1`.
    pub print_port: bool,
    /// `-notify-fd`.
    pub notify: Option<RawFd>,
    /// Where to listen.
    pub ports: Vec<Port>,
    /// For ports without an address of their own.
    pub address: Bind,
    /// The program and its arguments, at least one.
    pub program: Vec<OsString>,
}

/// Where the program's descriptor 2 goes.
#[derive(Debug, PartialEq, Eq)]
pub enum Stderr {
    /// To ours.
    Inherited,
    /// To the client.
    Socket,
    /// To the end of a file, ours too.
    File(PathBuf),
}

/// `-haproxy`: for how long to wait for a header, and on which ports one is due.
#[derive(Debug, PartialEq, Eq)]
pub struct Haproxy {
    /// The wait.
    pub timeout: Duration,
    /// The ports; none named means all.
    pub ports: Vec<Port>,
}

/// A login program gives up after 60 seconds; a connection that lives a little longer has logged in.
const LOGIN_LIMIT: u64 = 65;

/// Reads the command line without the program's own name. `services` is the text of `/etc/services`.
pub fn parse(args: Vec<OsString>, services: &str) -> Result<Command, String> {
    let mut parser = Parser::new(services);
    let mut args = args.into_iter().peekable();
    while let Some(arg) = args.next_if(|arg| arg.as_bytes().starts_with(b"-")) {
        if arg == "--" {
            break;
        }
        parser.option(&arg)?;
    }
    parser.finish(args.collect())
}

/// What has been read so far; limits stay open until all is known, as some defaults follow from others.
struct Parser<'a> {
    services: &'a str,
    options: Options,
    per_block: Option<usize>,
    reserved: Option<usize>,
    warn: Option<usize>,
    stop: bool,
    restart: bool,
}

impl<'a> Parser<'a> {
    fn new(services: &'a str) -> Parser<'a> {
        let limits = Limits {
            slots: 40,
            per_address: 20,
            per_block: 40,
            reserved: 0,
            login_limit: Duration::from_secs(LOGIN_LIMIT),
        };
        let options = Options {
            access: None,
            access_dialect: None,
            access_local: false,
            deny_message: None,
            drop: Vec::new(),
            user: None,
            group: None,
            haproxy: None,
            limits,
            warn: 0,
            dns: true,
            ident: true,
            pid: None,
            stderr: Stderr::Inherited,
            print_port: false,
            notify: None,
            ports: Vec::new(),
            address: Bind::All,
            program: Vec::new(),
        };
        Parser { services, options, per_block: None, reserved: None, warn: None, stop: false, restart: false }
    }

    fn option(&mut self, arg: &OsStr) -> Result<(), String> {
        let arg = arg.as_bytes().get(1..).unwrap_or_default();
        let cut = arg.iter().position(|&b| b == b'=').unwrap_or(arg.len());
        let (name, value) = arg.split_at_checked(cut).unwrap_or((arg, b""));
        let value = Value { name: lossy(name), bytes: value.get(1..).unwrap_or_default() };
        let options = &mut self.options;
        match name {
            b"access" => options.access = Some(value.path()?),
            b"accessformat" => options.access_dialect = Some(value.dialect()?),
            b"accesslocal" => options.access_local = true,
            b"address" => options.address = Bind::parse(&value.text()?).ok_or_else(|| value.bad())?,
            b"allow" | b"block" | b"stderrlogger" | b"stderrloggername" => {
                return Err(format!("-{} is not supported", value.name));
            }
            b"denymsg" => options.deny_message = Some(value.bytes.to_vec()),
            b"drop" => options.drop = value.names(),
            b"group" => options.group = Some(value.text()?),
            b"haproxy" => options.haproxy = Some(haproxy(&value.text()?, self.services).ok_or_else(|| value.bad())?),
            // The queue is always as long as the system allows, as in Courier.
            b"listen" => drop(value.positive()?),
            b"loginlimit" => options.limits.login_limit = Duration::from_secs(value.positive()? as u64),
            b"maxperc" => self.per_block = Some(value.positive()?),
            b"maxperip" => options.limits.per_address = value.positive()?,
            b"maxprocs" => options.limits.slots = value.positive()?,
            b"nodnslookup" => options.dns = false,
            b"noidentlookup" => options.ident = false,
            b"notify-fd" => options.notify = Some(value.descriptor()?),
            b"pid" => options.pid = Some(value.path()?),
            b"proxy" => {}
            b"reserve" => self.reserved = Some(value.number()?),
            b"restart" => self.restart = true,
            b"stderr" if value.bytes == b"socket" => options.stderr = Stderr::Socket,
            b"stderr" => options.stderr = Stderr::File(value.path()?),
            b"stop" => self.stop = true,
            b"user" => options.user = Some(value.text()?),
            b"warn" => self.warn = Some(value.number()?),
            b"1" => options.print_port = true,
            _ => return Err(format!("unknown option -{}", value.name)),
        }
        Ok(())
    }

    fn finish(mut self, mut words: Vec<OsString>) -> Result<Command, String> {
        if self.stop || self.restart {
            let pid = self.options.pid.ok_or("-stop and -restart need -pid=FILE")?;
            return Ok(if self.stop { Command::Stop(pid) } else { Command::Restart(pid) });
        }
        let limits = &mut self.options.limits;
        limits.per_block = self.per_block.unwrap_or(limits.slots);
        limits.reserved = self.reserved.unwrap_or(tenth(limits.slots));
        if limits.reserved >= limits.slots {
            return Err("-reserve leaves no slot for a new address".to_owned());
        }
        self.options.warn = self.warn.unwrap_or(limits.slots.saturating_sub(limits.slots / 10 + 1));
        self.host_and_port(&mut words)?;
        if words.len() < 2 {
            return Err("usage: tcpd [-name=value ...] portlist program [argument ...]".to_owned());
        }
        let list = words.remove(0);
        let list = list.to_str().ok_or("the port list is no text")?;
        self.options.ports = ports::parse(list, self.services).map_err(|item| format!("no port or service: {item}"))?;
        if words.first().is_some_and(|program| !program.as_bytes().contains(&b'/')) {
            return Err(format!("{}: a program is given by its path", lossy(words.swap_remove(0).as_bytes())));
        }
        self.options.program = words;
        Ok(Command::Run(Box::new(self.options)))
    }

    /// `tcpserver` has an address before the port: where a port list follows an address, the address is `-address`.
    fn host_and_port(&mut self, words: &mut Vec<OsString>) -> Result<(), String> {
        let [first, second, ..] = words.as_slice() else { return Ok(()) };
        if second.to_str().is_some_and(|second| ports::looks_like_list(second, self.services)) {
            let address = first.to_str().and_then(Bind::parse);
            self.options.address = address.ok_or_else(|| format!("no address: {}", lossy(first.as_bytes())))?;
            words.remove(0);
        }
        Ok(())
    }
}

/// A tenth of the slots, rounded up. A server of fewer than ten keeps none back: it would refuse where it has room.
fn tenth(slots: usize) -> usize {
    if slots < 10 { 0 } else { slots.div_ceil(10) }
}

/// `[SECS][/port=[IP.]N][,...]`.
fn haproxy(value: &str, services: &str) -> Option<Haproxy> {
    let mut words = value.split(['/', ',']);
    let mut seconds = 15;
    let mut ports = Vec::new();
    if let Some(first) = words.next().filter(|first| !first.is_empty()) {
        match first.strip_prefix("port=") {
            Some(port) => ports.extend(ports::parse(port, services).ok()?),
            None => seconds = first.parse().ok().filter(|seconds| (1..=3600).contains(seconds))?,
        }
    }
    for word in words.filter(|word| !word.is_empty()) {
        ports.extend(ports::parse(word.strip_prefix("port=").unwrap_or(word), services).ok()?);
    }
    Some(Haproxy { timeout: Duration::from_secs(seconds), ports })
}

/// The part behind the `=`.
struct Value<'a> {
    name: String,
    bytes: &'a [u8],
}

impl Value<'_> {
    fn bad(&self) -> String {
        format!("-{}={}: not a value of this option", self.name, lossy(self.bytes))
    }

    fn text(&self) -> Result<String, String> {
        String::from_utf8(self.bytes.to_vec()).map_err(|_| self.bad())
    }

    fn path(&self) -> Result<PathBuf, String> {
        if self.bytes.is_empty() {
            return Err(format!("-{} needs a file name", self.name));
        }
        Ok(OsString::from_vec(self.bytes.to_vec()).into())
    }

    fn number(&self) -> Result<usize, String> {
        let digits = self.bytes.iter().all(u8::is_ascii_digit);
        self.text()?.parse::<u32>().ok().filter(|_| digits).map(|n| n as usize).ok_or_else(|| self.bad())
    }

    fn positive(&self) -> Result<usize, String> {
        self.number().and_then(|n| if n > 0 { Ok(n) } else { Err(self.bad()) })
    }

    fn descriptor(&self) -> Result<RawFd, String> {
        self.number().ok().and_then(|n| RawFd::try_from(n).ok()).filter(|fd| *fd > 2).ok_or_else(|| self.bad())
    }

    fn dialect(&self) -> Result<Dialect, String> {
        match self.bytes {
            b"courier" => Ok(Dialect::Courier),
            b"tcprules" => Ok(Dialect::Tcprules),
            _ => Err(self.bad()),
        }
    }

    /// Names between commas; none given means `BLOCK`.
    fn names(&self) -> Vec<Vec<u8>> {
        if self.bytes.is_empty() {
            return vec![b"BLOCK".to_vec()];
        }
        self.bytes.split(|&b| b == b',').filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SERVICES: &str = "imap2 143/tcp imap\nimaps 993/tcp\n";

    fn command(line: &str) -> Result<Command, String> {
        parse(line.split(' ').map(OsString::from).collect(), SERVICES)
    }

    fn run(line: &str) -> Options {
        match command(line) {
            Ok(Command::Run(options)) => *options,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn refusal(line: &str) -> String {
        command(line).err().unwrap_or_else(|| panic!("{line}: accepted"))
    }

    #[test]
    fn defaults_are_couriers() {
        let options = run("143 /bin/cat x");
        let limits = options.limits;
        assert_eq!((limits.slots, limits.per_address, limits.per_block, limits.reserved), (40, 20, 40, 4));
        assert_eq!(options.warn, 35);
        assert!(options.dns && options.ident && !options.access_local);
        assert_eq!(options.ports, [Port { address: None, port: 143 }]);
        assert_eq!(options.program, ["/bin/cat", "x"]);
    }

    #[test]
    fn every_option_is_known() {
        let options = run(
            "-access=/a -accessformat=tcprules -accesslocal -address=127.0.0.1 -denymsg=go -drop -group=g -user=u \
             -haproxy -listen=5 -loginlimit=9 -maxperc=3 -maxperip=2 -maxprocs=7 -warn=6 -nodnslookup -noidentlookup \
             -notify-fd=3 -pid=/p -proxy -reserve=1 -stderr=socket -1 imap,993 /bin/cat -x=y",
        );
        assert_eq!(options.limits.per_block, 3);
        assert_eq!((options.limits.reserved, options.warn), (1, 6));
        assert_eq!(options.drop, [b"BLOCK"]);
        assert_eq!(options.stderr, Stderr::Socket);
        assert_eq!(options.program, ["/bin/cat", "-x=y"]);
        assert_eq!(run("-stderr=/log 143 /bin/cat").stderr, Stderr::File("/log".into()));
        assert_eq!(run("-drop=A,B 143 /bin/cat").drop, [b"A", b"B"]);
        assert!(matches!(command("-pid=/p -stop"), Ok(Command::Stop(_))));
        assert!(matches!(command("-pid=/p -restart"), Ok(Command::Restart(_))));
    }

    #[test]
    fn few_slots_are_all_for_everyone() {
        assert_eq!(run("-maxprocs=9 143 /bin/cat").limits.reserved, 0);
        assert_eq!(run("-maxprocs=10 143 /bin/cat").limits.reserved, 1);
        assert_eq!(run("-maxprocs=400 143 /bin/cat").limits.reserved, 40);
    }

    #[test]
    fn an_address_may_stand_before_the_port() {
        let options = run("127.0.0.1 1143 /bin/cat");
        assert_eq!(options.address, Bind::One("127.0.0.1".parse().unwrap()));
        assert_eq!(options.ports, [Port { address: None, port: 1143 }]);
        assert_eq!(run("0 imap /bin/cat").address, Bind::All);
        assert_eq!(run("0 /bin/cat").ports, [Port { address: None, port: 0 }]);
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        assert_eq!(refusal("-block=bl.example.org 143 /bin/cat"), "-block is not supported");
        assert_eq!(refusal("-stderrlogger=/x 143 /bin/cat"), "-stderrlogger is not supported");
        assert_eq!(refusal("-nosuch 143 /bin/cat"), "unknown option -nosuch");
        assert_eq!(refusal("-maxprocs=0 143 /bin/cat"), "-maxprocs=0: not a value of this option");
        for bad in [
            "",
            "143",
            "-maxperip=-1 143 /bin/cat",
            "-maxperc 143 /bin/cat",
            "-listen=x 143 /bin/cat",
            "-stop",
            "143 cat",
            "-access 143 /bin/cat",
            "-address=x 143 /bin/cat",
            "-haproxy=0 143 /bin/cat",
            "nosuch /bin/cat",
            "-notify-fd=1 143 /bin/cat",
            "-maxprocs=10 -reserve=10 143 /bin/cat",
            "host 143 /bin/cat",
        ] {
            refusal(bad);
        }
    }

    #[test]
    fn ports_of_a_proxy() {
        let of = |line: &str| run(&format!("{line} 143 /bin/cat")).haproxy.unwrap();
        let seconds = Duration::from_secs;
        let port = |port| Port { address: None, port };
        assert_eq!(of("-haproxy"), Haproxy { timeout: seconds(15), ports: vec![] });
        assert_eq!(of("-haproxy=3"), Haproxy { timeout: seconds(3), ports: vec![] });
        let home = Port { address: Some(Bind::One("127.0.0.1".parse().unwrap())), port: 993 };
        assert_eq!(
            of("-haproxy=3/port=143,127.0.0.1.993"),
            Haproxy { timeout: seconds(3), ports: vec![port(143), home] }
        );
        assert_eq!(of("-haproxy=/port=143,/port=993").ports, [port(143), port(993)]);
        assert_eq!(of("-haproxy=port=imap").ports, [port(143)]);
    }

    proptest! {
        #[test]
        fn any_words_are_read_without_a_panic(words in proptest::collection::vec("-?[a-z1]{0,9}=?[ -~]{0,12}", 0..4)) {
            let _ = parse(words.into_iter().map(OsString::from).collect(), SERVICES);
        }
    }
}
