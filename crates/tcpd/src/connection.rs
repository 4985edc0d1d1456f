//! One connection: its two ends, and what the program is told of them.

use crate::rule::Variable;
use std::net::SocketAddr;

/// The two ends, by what the socket or the proxy says, and their names where somebody looked.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The client.
    pub remote: SocketAddr,
    /// What it connected to.
    pub local: SocketAddr,
    /// `TCPREMOTEHOST`.
    pub remote_host: Option<Vec<u8>>,
    /// `TCPLOCALHOST`.
    pub local_host: Option<Vec<u8>>,
    /// `TCPREMOTEINFO`.
    pub remote_info: Option<Vec<u8>>,
}

impl Connection {
    /// Nothing looked up yet.
    pub fn new(remote: SocketAddr, local: SocketAddr) -> Connection {
        Connection { remote, local, remote_host: None, local_host: None, remote_info: None }
    }

    /// The variables for the program; those of a rule replace ours of the same name, as under tcpserver.
    pub fn variables(self, rule: Vec<Variable>) -> Vec<Variable> {
        let mut variables = vec![
            variable("PROTO", b"TCP".to_vec()),
            variable("TCPREMOTEIP", self.remote.ip().to_string().into_bytes()),
            variable("TCPREMOTEPORT", self.remote.port().to_string().into_bytes()),
            variable("TCPLOCALIP", self.local.ip().to_string().into_bytes()),
            variable("TCPLOCALPORT", self.local.port().to_string().into_bytes()),
        ];
        variables.extend(self.remote_host.map(|host| variable("TCPREMOTEHOST", host)));
        variables.extend(self.local_host.map(|host| variable("TCPLOCALHOST", host)));
        variables.extend(self.remote_info.map(|info| variable("TCPREMOTEINFO", info)));
        for (name, value) in rule {
            match variables.iter_mut().find(|(known, _)| *known == name) {
                Some(known) => known.1 = value,
                None => variables.push((name, value)),
            }
        }
        variables
    }

    /// An event about the client, in the shape of Courier's lines.
    pub fn event(&self, what: &str) -> Vec<u8> {
        format!("INFO: {what}, ip=[{}], port=[{}]", self.remote.ip(), self.remote.port()).into_bytes()
    }
}

fn variable(name: &str, value: Vec<u8>) -> Variable {
    (name.as_bytes().to_vec(), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_replaces_what_the_socket_says() {
        let mut connection = Connection::new("[::ffff:1.2.3.4]:5".parse().unwrap(), "[::1]:143".parse().unwrap());
        connection.remote_info = Some(b"joe".to_vec());
        assert_eq!(connection.event("DENIED"), b"INFO: DENIED, ip=[::ffff:1.2.3.4], port=[5]");
        let variables = connection
            .variables(vec![variable("TCPLOCALHOST", b"x".to_vec()), variable("TCPREMOTEIP", b"9.9.9.9".to_vec())]);
        let text: Vec<String> = variables
            .into_iter()
            .map(|(name, value)| format!("{}={}", String::from_utf8(name).unwrap(), String::from_utf8(value).unwrap()))
            .collect();
        let expected = "PROTO=TCP TCPREMOTEIP=9.9.9.9 TCPREMOTEPORT=5 TCPLOCALIP=::1 TCPLOCALPORT=143 TCPREMOTEINFO=joe TCPLOCALHOST=x";
        assert_eq!(text.join(" "), expected);
    }
}
