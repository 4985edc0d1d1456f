//! What takes time before the program can start: the proxy's header, names, IDENT. Done in a forked child, each with
//! a deadline, so that the server never waits.

use crate::access::Source;
use crate::connection::Connection;
use crate::decide::{Decision, decide};
use crate::haproxy::{self, Header, Refusal};
use crate::ident;
use crate::launch::Launch;
use crate::limits::Verdict;
use crate::options::{Haproxy, Options};
use crate::ports::bytes_of;
use crate::refuse::{Protocol, Reason, close_with};
use crate::report::{self, Message};
use crate::resolve::{self, Name};
use crate::rule::Variable;
use nix::sys::signal::{SigSet, Signal};
use std::io::{self, Read};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// For all questions about names together.
const NAMES: Duration = Duration::from_secs(8);
/// For the client's host to name the owner of a connection.
const IDENT: Duration = Duration::from_secs(5);

/// What a child needs.
pub struct Child<'a> {
    /// The options.
    pub options: &'a Options,
    /// The access database.
    pub source: Option<&'a Source>,
    /// The program.
    pub launch: &'a Launch,
    /// What a refused client understands.
    pub protocol: Protocol,
    /// The way to the server.
    pub server: OwnedFd,
}

/// An end before the program; all has been said.
struct Ended;

impl Child<'_> {
    /// Prepares the connection and becomes the program, or ends.
    pub fn run(self, stream: TcpStream, connection: Connection, proxy: Option<&Haproxy>) -> ! {
        // The signals that the server blocks end a child; a client that is gone does not, before all is said.
        sys::process::default_signals();
        let _ = SigSet::from(Signal::SIGPIPE).thread_block();
        if let Ok(variables) = self.prepare(&stream, connection, proxy) {
            let e = self.launch.exec(&stream, &variables);
            self.tell(Message::Warning(self.launch.failure(&e)));
            close_with(&stream, self.protocol.farewell(Reason::Broken));
        }
        sys::process::exit_now(chain::exit::TEMPORARY)
    }

    fn prepare(
        &self,
        stream: &TcpStream,
        mut connection: Connection,
        proxy: Option<&Haproxy>,
    ) -> Result<Vec<Variable>, Ended> {
        if let Some(proxy) = proxy {
            self.read_header(stream, &mut connection, proxy)?;
        }
        self.look_up(&mut connection, proxy.is_some());
        let (rule, per_address) = self.allowed(stream, &connection)?;
        if proxy.is_some() {
            self.claim(stream, &connection, per_address)?;
        }
        Ok(connection.variables(rule))
    }

    fn read_header(&self, stream: &TcpStream, connection: &mut Connection, proxy: &Haproxy) -> Result<(), Ended> {
        let deadline = Instant::now() + proxy.timeout;
        let header = haproxy::read(|into: &mut [u8]| read_before(stream, into, deadline));
        let reset = stream.set_read_timeout(None);
        match header.and_then(|header| reset.map(|()| header).map_err(Trouble::from)) {
            Ok(Header::Own) => Ok(()),
            Ok(Header::Passed { source, destination }) => {
                // The only place where the address that the proxy connected to is told.
                let at = format!("PROXY {} {}", connection.local.ip(), connection.local.port());
                *connection = Connection::new(source, destination);
                connection.remote_info = Some(at.into_bytes());
                Ok(())
            }
            Err(Trouble(why)) => {
                let line =
                    format!("haproxy: {why}, ip=[{}], port=[{}]", connection.remote.ip(), connection.remote.port());
                self.tell(Message::Event(line.into_bytes()));
                Err(Ended)
            }
        }
    }

    /// Asks the server for room, now that the client is known.
    fn claim(&self, stream: &TcpStream, connection: &Connection, per_address: Option<usize>) -> Result<(), Ended> {
        let address = bytes_of(connection.remote.ip());
        self.tell(Message::Claim { address, per_address });
        let reason = match report::verdict(&self.server).ok_or(Ended)? {
            Verdict::Admit => return Ok(()),
            Verdict::AddressFull => Reason::AddressFull,
            Verdict::BlockFull => Reason::BlockFull,
            Verdict::Reserved => Reason::Full,
        };
        self.tell(Message::Event(reason.event(connection)));
        close_with(stream, self.protocol.farewell(reason));
        Err(Ended)
    }

    fn allowed(&self, stream: &TcpStream, connection: &Connection) -> Result<(Vec<Variable>, Option<usize>), Ended> {
        let decision = decide(self.options, self.source.and_then(Source::access), connection);
        if let Decision::Serve { variables, per_address } = decision {
            return Ok((variables, per_address));
        }
        let refusal = decision.refusal(self.options, self.protocol, connection);
        self.tell(Message::Event(refusal.line));
        close_with(stream, &refusal.farewell);
        Err(Ended)
    }

    fn look_up(&self, connection: &mut Connection, proxied: bool) {
        if self.options.dns {
            let dnscacheip = std::env::var("DNSCACHEIP").ok();
            let resolv_conf = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
            let servers = resolve::servers(dnscacheip.as_deref(), &resolv_conf);
            let deadline = Instant::now() + NAMES;
            let name = |address| match resolve::name_of(address, &servers, deadline) {
                Name::Confirmed(name) => Some(name),
                Name::None => None,
                Name::Unknown => Some(b"softdnserr".to_vec()),
            };
            connection.remote_host = name(connection.remote.ip());
            connection.local_host = name(connection.local.ip());
        }
        if self.options.ident && !proxied {
            connection.remote_info = ident::owner(connection.remote, connection.local, Instant::now() + IDENT);
        }
    }

    fn tell(&self, message: Message) {
        report::tell(&self.server, &message);
    }
}

/// Why there is no header, in words.
struct Trouble(String);

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Trouble {
        Trouble(refusal.to_owned())
    }
}

impl From<io::Error> for Trouble {
    fn from(e: io::Error) -> Trouble {
        match e.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Trouble("no PROXY header in time".to_owned()),
            io::ErrorKind::UnexpectedEof => Trouble("connection closed before the PROXY header".to_owned()),
            _ => Trouble(chain::reason(&e)),
        }
    }
}

fn read_before(mut stream: &TcpStream, mut into: &mut [u8], deadline: Instant) -> Result<(), Trouble> {
    while !into.is_empty() {
        let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        stream.set_read_timeout(Some(left.ok_or(io::ErrorKind::TimedOut).map_err(io::Error::from)?))?;
        match stream.read(into) {
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(length) => into = into.get_mut(length..).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}
