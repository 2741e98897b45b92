//! The preamble: the header of a proxy and the TLS handshake, which come before the request head.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use proxy_header::{ParseConfig, ProxyHeader};
use tokio::io::AsyncReadExt;
use tokio::time::Sleep;

use crate::extract::RemoteAddr;
use crate::limits::MAX_PROXY_HEADER;

use super::context::{Client, Context};
#[cfg(feature = "tls")]
use super::listen;
use super::shutdown::ShutdownStage;
use super::stream::ClientStream;
#[cfg(feature = "tls")]
use super::tls::Tls;

/// The bytes with which a header of version 2 of the PROXY protocol starts.
const VERSION_2: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The longest header of version 1 of the PROXY protocol, by its specification.
const MAX_VERSION_1: usize = 107;

/// Reads the preamble. Returns the stream of the request, and the facts about its client.
///
/// Returns `None` if the client has left, the preamble is invalid, the time limit has passed, or
/// the server shuts down.
pub(super) async fn read(
    stream: ClientStream,
    address: RemoteAddr,
    limit: Pin<&mut Sleep>,
    context: &Context,
) -> Option<(ClientStream, Client)> {
    let client = Client {
        address,
        has_tls: false,
    };
    if !expects_preamble(&stream, client, context) {
        return Some((stream, client));
    }
    let mut stage = context.stage.clone();
    tokio::select! {
        // Boxed, so that an opening without a preamble takes no memory for it.
        read = Box::pin(read_parts(stream, client, context)) => read,
        () = limit => None,
        _ = stage.wait_for(|stage| *stage != ShutdownStage::Serving) => None,
    }
}

/// Returns whether a client begins with a TLS handshake.
#[cfg_attr(not(feature = "tls"), expect(unused_variables))]
pub(super) fn expects_tls(stream: &ClientStream, context: &Context) -> bool {
    #[cfg(feature = "tls")]
    let expects_tls = tls_for(stream, context).is_some();
    #[cfg(not(feature = "tls"))]
    let expects_tls = false;
    expects_tls
}

/// Returns whether something comes before the request head.
fn expects_preamble(stream: &ClientStream, client: Client, context: &Context) -> bool {
    expects_tls(stream, context) || context.proxies.must_send_header(client.address)
}

/// Reads both parts, in their order on the wire.
async fn read_parts(
    mut stream: ClientStream,
    mut client: Client,
    context: &Context,
) -> Option<(ClientStream, Client)> {
    if context.proxies.must_send_header(client.address) {
        match read_proxy_header(&mut stream, client).await {
            Ok(behind_proxy) => client = behind_proxy,
            // The proxy checks whether the server is alive, or the proxy's client has left.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
            Err(error) => {
                log_no_proxy_header(context, client.address, &error);
                return None;
            }
        }
    }
    #[cfg(feature = "tls")]
    if let Some(tls) = tls_for(&stream, context) {
        return accept_tls(tls, stream, client).await;
    }
    Some((stream, client))
}

/// Reads the PROXY header of a trusted proxy, of version 1 or 2, and returns the client in it.
///
/// Reads no byte after the header, because these bytes belong to the TLS handshake or the request.
/// A header of version 1 does not tell its length, so its bytes are read one by one.
async fn read_proxy_header(stream: &mut ClientStream, proxy: Client) -> io::Result<Client> {
    let mut bytes = vec![0; VERSION_2.len()];
    stream.read_exact(&mut bytes).await?;
    if bytes == VERSION_2 {
        let mut fields = [0; 4];
        stream.read_exact(&mut fields).await?;
        bytes.extend_from_slice(&fields);
        let length = usize::from(u16::from_be_bytes([fields[2], fields[3]]));
        if length > MAX_PROXY_HEADER {
            return Err(io::Error::other("the header is too long"));
        }
        let start = bytes.len();
        bytes.resize(start + length, 0);
        stream.read_exact(&mut bytes[start..]).await?;
    } else if bytes.starts_with(b"PROXY ") {
        while !bytes.ends_with(b"\r\n") {
            if bytes.len() == MAX_VERSION_1 {
                return Err(io::Error::other("the header is too long"));
            }
            bytes.push(stream.read_u8().await?);
        }
    } else {
        return Err(io::Error::other("there is no PROXY header"));
    }
    let (header, _) = ProxyHeader::parse(&bytes, ParseConfig::default())
        .map_err(|_| io::Error::other("the header is malformed"))?;
    // Without an address in the header, the proxy itself is the client. It may check the server's
    // health, for example.
    let address = header.proxied_address().map(|proxied| proxied.source);
    let canonical = |from: SocketAddr| SocketAddr::new(from.ip().to_canonical(), from.port());
    Ok(Client {
        address: address.map_or(proxy.address, |from| canonical(from).into()),
        has_tls: header.ssl().is_some_and(|ssl| ssl.client_ssl()),
    })
}

fn log_no_proxy_header(context: &Context, proxy: RemoteAddr, error: &io::Error) {
    if let Some(suppressed) = context.hub.log_limits().proxy_headers.admit() {
        tracing::warn!(
            %proxy,
            suppressed,
            "connection of a trusted proxy refused: {error}; let the proxy send a PROXY header, or \
             remove `proxy_protocol`"
        );
    }
}

/// Returns the server's TLS, if it has TLS and the client has a TCP socket.
#[cfg(feature = "tls")]
fn tls_for<'a>(stream: &ClientStream, context: &'a Context) -> Option<&'a Tls> {
    let is_tcp = matches!(stream, ClientStream::Socket(socket) if !listen::is_unix(socket));
    context.tls.as_ref().filter(|_| is_tcp)
}

/// Makes the TLS handshake. Returns `None` if it fails.
#[cfg(feature = "tls")]
async fn accept_tls(
    tls: &Tls,
    stream: ClientStream,
    mut client: Client,
) -> Option<(ClientStream, Client)> {
    let ClientStream::Socket(socket) = stream else {
        return Some((stream, client));
    };
    match tls.accept(socket).await {
        Ok(stream) => {
            client.has_tls = true;
            Some((ClientStream::Other(Box::pin(stream)), client))
        }
        Err(error) => {
            // The client may be a scanner, or may not trust the certificate. Both are ordinary on
            // the internet.
            tracing::debug!("TLS handshake failed: {error}");
            None
        }
    }
}
