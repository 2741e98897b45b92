//! TLS: certificates from files, or a configuration of the program's own. Files are read again when
//! they change.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use crate::error::{BoxError, Error, Result};
use crate::transport::{AsyncStream, unsent};

/// How often the files are checked for changes. A check costs two system calls.
const LOOK: Duration = Duration::from_secs(1);

/// The certificate and the key of a server, for [`App::tls`](crate::App::tls).
///
/// # Examples
///
/// ```no_run
/// use harpia::{App, Tls};
///
/// # async fn serve() -> harpia::Result {
/// let tls = Tls::files("/etc/chat/fullchain.pem", "/etc/chat/privkey.pem")?;
/// App::new().tls(tls).listen("0.0.0.0:443").await
/// # }
/// ```
pub struct Tls(Source);

enum Source {
    Fixed(Arc<ServerConfig>),
    Files(Files),
}

struct Files {
    certificates: PathBuf,
    key: PathBuf,
    /// Locked while the files are checked. Other handshakes wait until the check is done.
    loaded: Mutex<Loaded>,
}

struct Loaded {
    config: Arc<ServerConfig>,
    changed: Changed,
    looked: Instant,
}

/// When each of the files was changed.
type Changed = [Option<SystemTime>; 2];

impl Tls {
    /// Reads PEM files: the certificate with its chain, and the private key.
    ///
    /// The files are read again when they change, so a renewed certificate needs no restart. New
    /// connections get the new certificate within a second, and existing connections go on. If the
    /// files do not fit together, an error is logged, and the former certificate stays in use.
    ///
    /// TLS 1.2 and 1.3 are offered, with the protocol `http/1.1` (ALPN).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] that names the file, if one cannot be read or is invalid.
    pub fn files(certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self> {
        let (certificates, key) = (certificates.into(), key.into());
        let changed = changed(&certificates, &key);
        let config = load(&certificates, &key).map_err(|message| Error::Config { message })?;
        let loaded = Loaded {
            config,
            changed,
            looked: Instant::now(),
        };
        Ok(Self(Source::Files(Files {
            certificates,
            key,
            loaded: Mutex::new(loaded),
        })))
    }

    /// Uses a configuration of the program's own, for example with client certificates.
    ///
    /// Its `alpn_protocols` should be empty or name only `http/1.1`, since harpia speaks no HTTP/2.
    pub fn config(config: Arc<ServerConfig>) -> Self {
        Self(Source::Fixed(config))
    }

    fn current(&self) -> Arc<ServerConfig> {
        match &self.0 {
            Source::Fixed(config) => Arc::clone(config),
            Source::Files(files) => files.current(),
        }
    }

    /// Makes the TLS handshake with a client.
    pub(super) async fn accept(&self, socket: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.current()).accept(socket).await
    }
}

impl Files {
    fn current(&self) -> Arc<ServerConfig> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if loaded.looked.elapsed() >= LOOK {
            loaded.looked = Instant::now();
            let changed = changed(&self.certificates, &self.key);
            if changed != loaded.changed {
                loaded.changed = changed;
                match load(&self.certificates, &self.key) {
                    Ok(config) => {
                        loaded.config = config;
                        tracing::info!("TLS: a new certificate is in use");
                    }
                    Err(error) => {
                        tracing::error!("TLS: the former certificate stays in use: {error}");
                    }
                }
            }
        }
        Arc::clone(&loaded.config)
    }
}

fn changed(certificates: &Path, key: &Path) -> Changed {
    [certificates, key].map(|path| path.metadata().and_then(|file| file.modified()).ok())
}

/// Makes a configuration from the files. The error text names the file.
fn load(certificates: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let chain = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| in_file(certificates, error))?;
    if chain.is_empty() {
        return Err(in_file(certificates, "the file has no certificate"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| in_file(key, error))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    let config = builder
        .with_no_client_auth()
        .with_single_cert(chain, secret);
    let mut config = config.map_err(|error| in_file(key, error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn in_file(path: &Path, error: impl Into<BoxError>) -> String {
    format!("TLS file `{}`: {}", path.display(), error.into())
}

impl AsyncStream for TlsStream<TcpStream> {
    fn unsent(&self) -> usize {
        unsent(self.get_ref().0)
    }
}

/// Prints the paths of the files, and nothing of their contents.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Fixed(_) => f.debug_struct("Tls").finish_non_exhaustive(),
            Source::Files(files) => f
                .debug_struct("Tls")
                .field("certificates", &files.certificates)
                .field("key", &files.key)
                .finish(),
        }
    }
}
