//! Extensions in the handshake: the client's offers, and the agreement (RFC 7692 section 7.1).
//!
//! permessage-deflate is the only supported extension. Both sides always compress each message
//! without a context (`no_context_takeover`). A server may require this even if the client did not
//! offer it.

use std::fmt;

/// The agreement with one peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Agreement {
    /// The size of the peer's window for decompression, in bits, if the peer named one.
    server_window: Option<u8>,
}

/// The largest window, in bits. It is used if the peer names none.
const FULL_WINDOW: u8 = 15;

impl Agreement {
    /// Chooses the first acceptable offer (RFC 7692 section 5).
    pub(crate) fn choose<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut offers = headers.into_iter().flat_map(|header| header.split(','));
        offers.find_map(Self::from_offer)
    }

    /// Returns the longest message that may be compressed for this peer, in bytes.
    ///
    /// A message that fits into the peer's window cannot refer to data outside it.
    pub(crate) fn max_message(self) -> usize {
        match self.server_window {
            Some(bits) if bits < FULL_WINDOW => 1 << bits,
            _ => usize::MAX,
        }
    }

    fn from_offer(offer: &str) -> Option<Self> {
        let mut parts = offer.split(';').map(str::trim);
        if parts.next() != Some("permessage-deflate") {
            return None;
        }
        let mut seen = Vec::new();
        let mut server_window = None;
        for parameter in parts {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
                None => (parameter, None),
            };
            // An offer with a repeated, unknown or invalid parameter is declined (section 7.1).
            if seen.contains(&name) {
                return None;
            }
            seen.push(name);
            match (name, value) {
                ("server_no_context_takeover" | "client_no_context_takeover", None) => {}
                ("client_max_window_bits", None) => {}
                ("client_max_window_bits", Some(bits)) => drop(window(bits)?),
                ("server_max_window_bits", Some(bits)) => server_window = Some(window(bits)?),
                _ => return None,
            }
        }
        Some(Self { server_window })
    }
}

/// Formats as the header of the response.
impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("permessage-deflate; server_no_context_takeover; client_no_context_takeover")?;
        match self.server_window {
            Some(bits) => write!(f, "; server_max_window_bits={bits}"),
            None => Ok(()),
        }
    }
}

/// Parses the size of a window: 8 to 15, without a leading zero (RFC 7692 section 7.1.2).
fn window(bits: &str) -> Option<u8> {
    let number = bits.parse().ok()?;
    let is_plain = !bits.starts_with(['0', '+']);
    (is_plain && (8..=FULL_WINDOW).contains(&number)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(offers: &[&str]) -> Option<String> {
        Agreement::choose(offers.iter().copied()).map(|agreement| agreement.to_string())
    }

    const BARE: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    #[test]
    fn a_browsers_offer_is_accepted_without_context_takeover() {
        let offer = "permessage-deflate; client_max_window_bits";
        assert_eq!(agreed(&[offer]).as_deref(), Some(BARE));
        assert_eq!(
            agreed(&["x-webkit-deflate-frame", offer]).as_deref(),
            Some(BARE)
        );
        assert_eq!(agreed(&[]), None);
    }

    #[test]
    fn a_smaller_window_is_accepted_and_bounds_compressed_messages() {
        let agreement =
            Agreement::choose(["permessage-deflate; server_max_window_bits=9"]).unwrap();
        assert_eq!(agreement.max_message(), 512);
        assert_eq!(
            agreement.to_string(),
            format!("{BARE}; server_max_window_bits=9")
        );
        let full = Agreement::choose(["permessage-deflate;server_max_window_bits=\"15\""]).unwrap();
        assert_eq!(full.max_message(), usize::MAX);
    }

    #[test]
    fn the_first_acceptable_offer_is_chosen() {
        let offers = "permessage-deflate; server_max_window_bits=7, permessage-deflate; \
                      server_max_window_bits=10, permessage-deflate";
        assert_eq!(
            agreed(&[offers]),
            Some(format!("{BARE}; server_max_window_bits=10"))
        );
    }

    #[test]
    fn invalid_offers_are_declined() {
        for offer in [
            "permessage-bzip2",
            "permessage-deflate; unknown",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=08",
            "permessage-deflate; client_max_window_bits=+9",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
        ] {
            assert_eq!(agreed(&[offer]), None, "{offer}");
        }
    }
}
