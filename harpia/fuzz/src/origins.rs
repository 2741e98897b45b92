//! Origins, compared with the crate url, which follows the standard of browsers.

use harpia::fuzz::Decision;
use url::{Host, Origin, Url};

/// Checks that a page may connect only if url finds its origin equal, and that each origin that a
/// browser may send is valid.
pub(crate) fn compare(decision: &Decision<'_>) {
    let page = web_origin(decision.origin);
    if decision.is_same {
        let (scheme, _) = decision.origin.split_once("://").expect("an origin");
        let host = format!("{scheme}://{}", decision.host);
        assert_eq!(page, web_origin(&host));
    }
    if decision.is_listed {
        assert_eq!(page, web_origin(decision.listed));
    }
    let is_sent_by_browsers = page
        .as_ref()
        .is_some_and(|page| page.ascii_serialization() == decision.origin && has_usual_host(page));
    assert!(decision.is_valid || !is_sent_by_browsers);
}

/// Returns the origin of a page of the web.
fn web_origin(text: &str) -> Option<Origin> {
    let url = Url::parse(text).ok()?;
    let is_web = ["http", "https"].contains(&url.scheme());
    is_web.then(|| url.origin())
}

/// Returns whether a host has only the characters of host names. A URL may have others, such as
/// `!`, but no host on the internet has them.
fn has_usual_host(origin: &Origin) -> bool {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    match origin {
        Origin::Tuple(_, Host::Domain(name), _) => name.chars().all(is_usual),
        Origin::Tuple(..) => true,
        Origin::Opaque(_) => false,
    }
}
