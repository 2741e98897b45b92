//! A real nginx in front of a server.

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::CertificateFiles;
use crate::program::free_port;

/// A running nginx. Dropping it kills the process.
#[derive(Debug)]
pub struct Nginx {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl Nginx {
    /// Starts nginx with the configuration of the guide's page on deploying, in front of a backend
    /// such as `127.0.0.1:3000` or `unix:/run/chat.sock`.
    ///
    /// It serves TLS for the name `example.com`. `change` may change the configuration.
    ///
    /// # Panics
    ///
    /// If the guide's text has no such configuration, or nginx does not start.
    pub fn start_as_in_the_guide(
        backend: &str,
        files: &CertificateFiles,
        change: impl FnOnce(String) -> String,
    ) -> Self {
        let (port, plain) = (free_port(), free_port());
        let certificates = format!(
            "ssl_certificate {}; ssl_certificate_key {};",
            files.certificate().display(),
            files.key().display()
        );
        let mut text = guide_block(0);
        for (from, to) in [
            ("listen 443 ssl;", format!("listen 127.0.0.1:{port} ssl;")),
            ("listen 80;", format!("listen 127.0.0.1:{plain};")),
            ("# ssl_certificate …; ssl_certificate_key …;", certificates),
            (
                "proxy_pass http://127.0.0.1:3000;",
                format!("proxy_pass http://{backend};"),
            ),
        ] {
            assert!(text.contains(from), "the guide has no `{from}`");
            text = text.replace(from, &to);
        }
        Self::spawn(port, &format!("http {{ {} }}", http(&change(text))))
    }

    /// Adds the guide's limit on logins to its configuration.
    ///
    /// # Panics
    ///
    /// If the guide's text has no such limit.
    pub fn with_login_limit(text: String) -> String {
        let (zone, location) = guide_block(1).split_once("location = /login").map_or_else(
            || panic!("the guide has no limit on logins"),
            |(zone, location)| (zone.to_owned(), location.to_owned()),
        );
        let pass = text.lines().find(|line| line.contains("proxy_pass"));
        let location = location.replace(
            "        proxy_pass http://127.0.0.1:3000;",
            pass.expect("the backend"),
        );
        let place = "    location / {";
        let text = text.replace(place, &format!("location = /login {location}\n{place}"));
        format!("{zone}\n{text}")
    }

    /// Starts nginx with a `server` block that has these directives and `listen`, without TLS.
    ///
    /// # Panics
    ///
    /// If nginx does not start.
    pub fn start(directives: &str) -> Self {
        let port = free_port();
        let server = format!("server {{ listen 127.0.0.1:{port}; {directives} }}");
        Self::spawn(port, &format!("http {{ {} }}", http(&server)))
    }

    /// Starts nginx as a proxy for TCP, which sends a PROXY header and reads no request.
    ///
    /// # Panics
    ///
    /// If nginx does not start.
    pub fn start_for_tcp(backend: SocketAddr) -> Self {
        let port = free_port();
        let server = format!(
            "load_module /usr/lib/nginx/modules/ngx_stream_module.so; \
             stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass {backend}; \
             proxy_protocol on; }} }}"
        );
        Self::spawn(port, &server)
    }

    fn spawn(port: u16, blocks: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("harpia-nginx-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let place = folder.display();
        let (modules, blocks) = blocks.split_at(blocks.find("stream {").unwrap_or_default());
        let text = format!(
            "{modules} daemon off; master_process off; pid {place}/pid; \
             error_log {place}/error.log; events {{}} {blocks}"
        );
        let text = text.replace("{place}", &place.to_string());
        std::fs::write(folder.join("nginx.conf"), text).expect("it is written");
        // Debian's nginx is not in the path of every user.
        let path = std::env::var("PATH").unwrap_or_default();
        let spawned = Command::new("nginx")
            .env("PATH", format!("{path}:/usr/sbin"))
            .arg("-p")
            .arg(&folder)
            .args(["-c", "nginx.conf"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process =
            spawned.unwrap_or_else(|error| panic!("no nginx ({error}): apt-get install nginx"));
        let mut nginx = Self {
            process,
            folder,
            port,
        };
        nginx.wait_until_it_listens();
        nginx
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    fn wait_until_it_listens(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(self.address()).is_err() {
            let ended = self.process.try_wait().expect("a status");
            let log = || std::fs::read_to_string(self.folder.join("error.log"));
            assert!(ended.is_none(), "nginx exited: {:?}", log());
            assert!(Instant::now() < end, "nginx does not listen: {:?}", log());
            thread::yield_now();
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Adds the settings that keep the files of nginx in its own folder.
fn http(servers: &str) -> String {
    let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders = folders.map(|name| format!("{name}_temp_path {{place}}/{name};"));
    format!("access_log off; {} {servers}", folders.concat())
}

/// Returns a configuration of nginx in the guide, by its number.
fn guide_block(number: usize) -> String {
    let guide = include_str!("../../harpia/guide/deploying.md");
    let (_, page) = guide.split_once("# nginx").expect("a section on nginx");
    let block = page.split("```text\n").nth(number + 1).expect("a block");
    let (block, _) = block.split_once("```").expect("the end of the block");
    block.to_owned()
}
