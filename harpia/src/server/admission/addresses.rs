//! How many connections each address has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::extract::RemoteAddr;

/// The connections of each address that has some.
pub(super) struct Addresses {
    /// The most connections of one address.
    max: usize,
    counts: Mutex<HashMap<Network, usize>>,
}

/// An IPv4 address, or the first 64 bits of an IPv6 address.
///
/// A customer of a provider usually has at least 2^64 IPv6 addresses, all with the same first bits.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Network {
    V4(Ipv4Addr),
    V6(u64),
}

/// One connection of an address. It counts until this is dropped.
pub(in crate::server) struct Place {
    addresses: Arc<Addresses>,
    network: Network,
}

impl Addresses {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            counts: Mutex::default(),
        }
    }

    /// Takes a place for a connection of this address, or returns `None` if the address has all of
    /// its connections. The clients of a Unix socket count as one address.
    pub(super) fn enter(this: &Arc<Self>, address: RemoteAddr) -> Option<Place> {
        let network = Network::of(address);
        let mut counts = this.lock();
        let count = counts.entry(network).or_default();
        if *count >= this.max {
            return None;
        }
        *count += 1;
        let addresses = Arc::clone(this);
        Some(Place { addresses, network })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Network {
    fn of(address: RemoteAddr) -> Self {
        match address.ip().map(|ip| ip.to_canonical()) {
            Some(IpAddr::V4(ip)) => Self::V4(ip),
            Some(IpAddr::V6(ip)) => Self::V6((ip.to_bits() >> 64) as u64),
            None => Self::V4(Ipv4Addr::UNSPECIFIED),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.addresses.lock();
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn enter(addresses: &Arc<Addresses>, address: &str) -> Option<Place> {
        let address: SocketAddr = address.parse().expect("an address");
        Addresses::enter(addresses, address.into())
    }

    #[test]
    fn each_address_has_its_own_places_whatever_its_port() {
        let addresses = Arc::new(Addresses::new(2));
        let first = enter(&addresses, "192.0.2.1:1");
        let second = enter(&addresses, "[::ffff:192.0.2.1]:2");
        assert!(first.is_some() && second.is_some());
        assert!(enter(&addresses, "192.0.2.1:3").is_none());
        assert!(enter(&addresses, "192.0.2.2:3").is_some());
        drop(first);
        assert!(enter(&addresses, "192.0.2.1:3").is_some());
        drop(second);
        assert!(addresses.lock().is_empty());
    }

    #[test]
    fn ipv6_addresses_with_the_same_first_64_bits_count_as_one() {
        let addresses = Arc::new(Addresses::new(1));
        let first = enter(&addresses, "[2001:db8:0:1::1]:1");
        assert!(first.is_some());
        assert!(enter(&addresses, "[2001:db8:0:1:ffff::2]:1").is_none());
        assert!(enter(&addresses, "[2001:db8:0:2::1]:1").is_some());
    }
}
