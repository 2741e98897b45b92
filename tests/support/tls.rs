//! Certificates for a server with TLS, and the TLS handshake of a client.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use harpia::Tls;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::within;

/// The certificate and key files of a server, in a folder that dropping this removes.
#[derive(Debug)]
pub struct CertificateFiles {
    folder: PathBuf,
}

impl CertificateFiles {
    /// Makes a folder without files.
    #[expect(
        clippy::new_without_default,
        reason = "a folder is not a default value"
    )]
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("harpia-tls-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        Self { folder }
    }

    /// Returns the path of the certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("fullchain.pem")
    }

    /// Returns the path of the private key.
    pub fn key(&self) -> PathBuf {
        self.folder.join("privkey.pem")
    }

    /// Writes a new self-signed certificate for `localhost`, and returns it.
    pub fn renew(&self) -> CertificateDer<'static> {
        let CertifiedKey { cert, signing_key } = self_signed();
        std::fs::write(self.certificate(), cert.pem()).expect("it is written");
        std::fs::write(self.key(), signing_key.serialize_pem()).expect("it is written");
        cert.der().clone()
    }

    /// Returns the files as the setting of an app.
    pub fn tls(&self) -> Tls {
        Tls::files(self.certificate(), self.key()).expect("the files are valid")
    }
}

impl Drop for CertificateFiles {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Makes a self-signed certificate for `localhost`.
pub fn self_signed() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate")
}

/// Makes the TLS handshake of a client that trusts these certificates.
///
/// # Errors
///
/// An error if the handshake fails.
pub async fn start_tls(
    stream: TcpStream,
    trusted: &[CertificateDer<'static>],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add(certificate.clone()).expect("a certificate");
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("versions");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("localhost").expect("a name");
    within(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}
