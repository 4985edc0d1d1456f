//! Whether a connection is served, by the access database and `-drop`.

use crate::access::{Access, Names};
use crate::connection::Connection;
use crate::options::Options;
use crate::refuse::{Protocol, Reason};
use crate::rule::{Rule, Variable};

/// The decision.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// Serve it.
    Serve {
        /// What the rules set.
        variables: Vec<Variable>,
        /// `MAXCPERIP`, in place of `-maxperip`.
        per_address: Option<usize>,
    },
    /// The rule for the client says no.
    Deny,
    /// The rule for the address it connected to says no: closed without a word.
    DenyLocal,
    /// A variable of `-drop` is set.
    Drop,
    /// The database cannot be read.
    Broken(String),
}

/// Decides by the rules for both ends. Names that are known lead to further rules of `tcprules`.
pub fn decide(options: &Options, access: Option<&Access>, connection: &Connection) -> Decision {
    let names = Names { host: connection.remote_host.as_deref(), info: connection.remote_info.as_deref() };
    let Some(access) = access else { return serve(options, Vec::new()) };
    let mut variables = Vec::new();
    if options.access_local {
        match access.local(connection.local) {
            Ok(Some(Rule::Deny)) => return Decision::DenyLocal,
            Ok(Some(Rule::Allow(set))) => variables.extend(set),
            Ok(None) => {}
            Err(e) => return Decision::Broken(e.to_string()),
        }
    }
    match access.remote(connection.remote.ip(), names) {
        Ok(Some(Rule::Deny)) => return Decision::Deny,
        Ok(Some(Rule::Allow(set))) => variables.extend(set),
        Ok(None) => {}
        Err(e) => return Decision::Broken(e.to_string()),
    }
    serve(options, variables)
}

/// A connection that is not served: what is logged, and what the client reads.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For the log.
    pub line: Vec<u8>,
    /// For the client.
    pub farewell: Vec<u8>,
}

impl Decision {
    /// What follows where it is not to serve; `-denymsg` replaces our own words.
    pub fn refusal(&self, options: &Options, protocol: Protocol, connection: &Connection) -> Refusal {
        let denied = || match &options.deny_message {
            Some(message) => [message.as_slice(), b"\n"].concat(),
            None => protocol.farewell(Reason::Denied).to_vec(),
        };
        let ip = connection.remote.ip();
        match self {
            Decision::DenyLocal => Refusal {
                line: [connection.event("DENIED"), format!(", local=[{}]", connection.local).into_bytes()].concat(),
                farewell: Vec::new(),
            },
            Decision::Drop => {
                Refusal { line: format!("WARN: dropped blocked connection from {ip}").into_bytes(), farewell: denied() }
            }
            Decision::Broken(why) => Refusal {
                line: format!("ERR: access database: {why}, refused {ip}").into_bytes(),
                farewell: protocol.farewell(Reason::Broken).to_vec(),
            },
            Decision::Deny | Decision::Serve { .. } => Refusal { line: connection.event("DENIED"), farewell: denied() },
        }
    }
}

fn serve(options: &Options, variables: Vec<Variable>) -> Decision {
    // The last setting of a name is the one that the program will see.
    let value = |name: &[u8]| variables.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
    if options.drop.iter().any(|name| value(name).is_some_and(|value| !value.is_empty())) {
        return Decision::Drop;
    }
    let per_address = value(b"MAXCPERIP").and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
    Decision::Serve { variables, per_address }
}
