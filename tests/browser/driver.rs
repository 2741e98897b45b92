//! A chromedriver process, and a page that a test uses as a person does.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use fantoccini::cookies::Cookie;
use fantoccini::wd::{Capabilities, WindowHandle};
use fantoccini::{Client, ClientBuilder, Locator};
use harpia_tests::within;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// A chromedriver on a free port. Dropping it kills the driver and its browsers.
pub(crate) struct Driver {
    process: Child,
    port: String,
}

/// One page in its own browser.
pub(crate) struct Page {
    client: Client,
}

impl Driver {
    /// Starts chromedriver and waits until it listens.
    pub(crate) fn start() -> Self {
        let spawned = Command::new("chromedriver")
            .arg("--port=0")
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut process = spawned.unwrap_or_else(|error| {
            panic!("no chromedriver ({error}): apt-get install chromium chromium-driver")
        });
        let output = process.stdout.take().expect("its output is piped");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        Self {
            process,
            port: port.expect("chromedriver prints its port"),
        }
    }

    /// Opens a browser whose screen has this size in CSS pixels.
    pub(crate) async fn open(&self, (width, height): (u32, u32)) -> Page {
        let mut capabilities = Capabilities::new();
        let arguments = [
            "--headless=new",
            // In containers the tests run as root, and the sandbox does not work there.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            // Gives this machine names that the browser treats as other sites, and as not local.
            "--host-resolver-rules=MAP *.test 127.0.0.1",
        ];
        // A headless window has no exact size, but an emulated screen does.
        let screen = json!({ "width": width, "height": height, "pixelRatio": 2, "mobile": false });
        let emulation = json!({ "deviceMetrics": screen });
        let options = json!({ "args": arguments, "mobileEmulation": emulation });
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        // The certificates of the tests are self-signed.
        capabilities.insert("acceptInsecureCerts".to_owned(), true.into());
        let url = format!("http://127.0.0.1:{}", self.port);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = within(builder.capabilities(capabilities).connect(&url)).await;
        let client = client.unwrap_or_else(|error| panic!("no browser: {error}"));
        Page { client }
    }
}

/// Kills the whole process group, because a failed test leaves its browsers open.
impl Drop for Driver {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill")
            .args(["-s", "KILL", "--", &group])
            .status();
        let _ = self.process.wait();
    }
}

impl Page {
    pub(crate) async fn goto(&self, url: &str) {
        within(self.client.goto(url)).await.expect("the page loads");
    }

    /// Fills in the chat's entry form and waits until the chat is connected.
    pub(crate) async fn enter(&self, name: &str, room: &str) {
        self.fill("#name", name).await;
        self.fill("#room", room).await;
        self.press("#enter button").await;
        self.shows("#state", "connected").await;
    }

    /// Sends a message in the chat.
    pub(crate) async fn say(&self, text: &str) {
        self.fill("#text", text).await;
        self.press("#send").await;
    }

    /// Waits until the text of an element contains `text`.
    pub(crate) async fn shows(&self, selector: &str, text: &str) {
        let appears = async {
            while !self.text_of(selector).await.contains(text) {
                tokio::task::yield_now().await;
            }
        };
        let shown = tokio::time::timeout(Duration::from_secs(20), appears).await;
        if shown.is_err() {
            let found = self.text_of(selector).await;
            panic!("`{selector}` does not show `{text}` within 20 seconds, but: {found}");
        }
    }

    /// Returns the text of an element; empty if the page does not have the element yet.
    pub(crate) async fn text_of(&self, selector: &str) -> String {
        match within(self.client.find(Locator::Css(selector))).await {
            Ok(element) => within(element.text()).await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Opens another window of the same browser and switches to it; returns the previous window.
    pub(crate) async fn second_window(&self) -> WindowHandle {
        let first = within(self.client.window()).await.expect("a window");
        let second = within(self.client.new_window(true))
            .await
            .expect("another window");
        self.switch_to(second.handle).await;
        first
    }

    pub(crate) async fn switch_to(&self, window: WindowHandle) {
        within(self.client.switch_to_window(window))
            .await
            .expect("the window exists");
    }

    /// Runs the body of an async JavaScript function in the page; returns its result.
    ///
    /// The body can use the variable `given`.
    pub(crate) async fn run(&self, body: &str, given: Value) -> Value {
        let script = format!(
            "const [given, done] = arguments; \
             (async () => {{ {body} }})().then(done, (e) => done(`${{e}}`))"
        );
        let ran = within(self.client.execute_async(&script, vec![given])).await;
        ran.unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    /// Opens a WebSocket from the page; returns its first message, or its close code and reason.
    pub(crate) async fn socket(&self, url: &str) -> String {
        let body = "return await new Promise((done) => { \
                        const socket = new WebSocket(given); \
                        socket.onmessage = (event) => { done(event.data); socket.close(); }; \
                        socket.onclose = (event) => done(`${event.code} ${event.reason}`); \
                    });";
        let answer = self.run(body, json!(url)).await;
        answer.as_str().expect("text").to_owned()
    }

    /// Returns a cookie that the browser has stored.
    pub(crate) async fn cookie(&self, name: &str) -> Option<Cookie<'static>> {
        within(self.client.get_named_cookie(name)).await.ok()
    }

    /// Saves a picture if the environment has `SCREENSHOTS`.
    pub(crate) async fn picture(&self, name: &str) {
        let Some(folder) = env::var_os("SCREENSHOTS") else {
            return;
        };
        let picture = within(self.client.screenshot()).await.expect("a picture");
        let path = std::path::Path::new(&folder).join(format!("{name}.png"));
        fs::write(path, picture).expect("the folder for pictures is writable");
    }

    pub(crate) async fn close(self) {
        within(self.client.close())
            .await
            .expect("the browser closes");
    }

    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let script = "const input = document.querySelector(arguments[0]); \
                      input.value = arguments[1]; input.focus();";
        let arguments = vec![json!(selector), json!(text)];
        within(self.client.execute(script, arguments))
            .await
            .expect("the field exists");
    }

    pub(crate) async fn press(&self, selector: &str) {
        let found = within(self.client.find(Locator::Css(selector))).await;
        let button = found.unwrap_or_else(|error| panic!("no `{selector}`: {error}"));
        within(button.click())
            .await
            .expect("the button is clickable");
    }
}
