//! The address and path of the server under test, parsed from a URL.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// The target of a connection. `{room}` in the path is replaced with the number of a room.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// The value of the `Host` header: host and port as the URL has them.
    pub(crate) host: String,
    pub(crate) path: String,
}

impl Target {
    /// Returns whether the address is on the loopback network.
    pub(crate) fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }

    /// Returns whether each room has a path of its own.
    pub(crate) fn has_rooms(&self) -> bool {
        self.path.contains(ROOM)
    }

    /// Returns the target of one room.
    pub(crate) fn in_room(&self, room: usize) -> Self {
        Self {
            path: self.path.replace(ROOM, &room.to_string()),
            ..self.clone()
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        if url.starts_with("wss://") {
            return Err("TLS is not supported: measure the server behind the TLS proxy".into());
        }
        let rest = url.strip_prefix("ws://").ok_or("a URL starts with ws://")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        Ok(Self {
            address: resolve(host)?,
            host: host.to_owned(),
            path: format!("/{path}"),
        })
    }
}

fn resolve(host: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok((ip, 80).into());
    }
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
    let port: u16 = port.parse().map_err(|_| format!("invalid port: {port}"))?;
    if name == "localhost" {
        return Ok(([127, 0, 0, 1], port).into());
    }
    let addresses = (name, port).to_socket_addrs();
    let found = addresses
        .map_err(|error| format!("{name}: {error}"))?
        .next();
    found.ok_or_else(|| format!("{name} has no address"))
}

const ROOM: &str = "{room}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_an_address_and_a_path() {
        let target: Target = "ws://127.0.0.1:3000/chat?name=ada".parse().unwrap();
        assert_eq!(target.address, ([127, 0, 0, 1], 3000).into());
        assert_eq!(target.path, "/chat?name=ada");
        assert!(target.is_loopback());
        let target: Target = "ws://localhost:9".parse().unwrap();
        assert_eq!(
            (target.path.as_str(), target.host.as_str()),
            ("/", "localhost:9")
        );
        assert!("ws://[::1]:3000/".parse::<Target>().unwrap().is_loopback());
    }

    #[test]
    fn an_address_of_another_machine_is_not_loopback() {
        let target: Target = "ws://192.0.2.1/".parse().unwrap();
        assert!(!target.is_loopback());
        assert_eq!(target.address.port(), 80);
    }

    #[test]
    fn an_invalid_url_is_rejected() {
        for url in ["http://127.0.0.1/", "wss://127.0.0.1/", "ws://127.0.0.1:x/"] {
            assert!(url.parse::<Target>().is_err(), "{url}");
        }
    }

    #[test]
    fn each_room_has_its_own_path() {
        let target: Target = "ws://127.0.0.1:1/rooms/{room}".parse().unwrap();
        assert!(target.has_rooms());
        assert_eq!(target.in_room(7).path, "/rooms/7");
    }
}
