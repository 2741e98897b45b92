//! chromedriver, and one page as a person uses it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use harpia_tests::within;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

/// A chromedriver on a free port, which ends with the test.
pub(crate) struct Driver {
    process: Child,
    port: String,
}

/// One page in a browser of its own.
pub(crate) struct Page {
    client: Client,
}

impl Driver {
    pub(crate) fn start() -> Self {
        let spawned = Command::new("chromedriver")
            .arg("--port=0")
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
            port: port.expect("chromedriver tells its port"),
        }
    }

    pub(crate) async fn open(&self, (width, height): (u32, u32)) -> Page {
        let mut capabilities = Capabilities::new();
        let arguments = [
            "--headless=new",
            // Tests run as root in containers, where the sandbox cannot work.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
        ];
        // A headless window has no exact size; an emulated screen has.
        let screen = json!({ "width": width, "height": height, "pixelRatio": 2, "mobile": false });
        let emulation = json!({ "deviceMetrics": screen });
        let options = json!({ "args": arguments, "mobileEmulation": emulation });
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        let url = format!("http://127.0.0.1:{}", self.port);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = within(builder.capabilities(capabilities).connect(&url)).await;
        let client = client.unwrap_or_else(|error| panic!("no browser: {error}"));
        Page { client }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Page {
    pub(crate) async fn goto(&self, url: &str) {
        within(self.client.goto(url)).await.expect("the page loads");
    }

    /// Fills in the form at the entrance and waits until the chat is there.
    pub(crate) async fn enter(&self, name: &str, room: &str) {
        self.fill("#name", name).await;
        self.fill("#room", room).await;
        self.press("#enter button").await;
        self.shows("#state", "connected").await;
    }

    pub(crate) async fn say(&self, text: &str) {
        self.fill("#text", text).await;
        self.press("#send").await;
    }

    /// Waits until an element's text has this in it.
    pub(crate) async fn shows(&self, selector: &str, text: &str) {
        let appears = async {
            while !self.text_of(selector).await.contains(text) {
                tokio::task::yield_now().await;
            }
        };
        let shown = tokio::time::timeout(Duration::from_secs(20), appears).await;
        if shown.is_err() {
            let found = self.text_of(selector).await;
            panic!("`{selector}` never shows `{text}`, but: {found}");
        }
    }

    pub(crate) async fn text_of(&self, selector: &str) -> String {
        let found = within(self.client.find(Locator::Css(selector))).await;
        let element = found.unwrap_or_else(|error| panic!("no `{selector}`: {error}"));
        within(element.text()).await.unwrap_or_default()
    }

    /// Leaves a picture, if pictures are asked for.
    pub(crate) async fn picture(&self, name: &str) {
        let Some(folder) = env::var_os("SCREENSHOTS") else {
            return;
        };
        let picture = within(self.client.screenshot()).await.expect("a picture");
        let path = std::path::Path::new(&folder).join(format!("{name}.png"));
        fs::write(path, picture).expect("the folder of pictures can be written");
    }

    pub(crate) async fn close(self) {
        within(self.client.close())
            .await
            .expect("the browser closes");
    }

    async fn fill(&self, selector: &str, text: &str) {
        let script = "const input = document.querySelector(arguments[0]); \
                      input.value = arguments[1]; input.focus();";
        let arguments = vec![json!(selector), json!(text)];
        within(self.client.execute(script, arguments))
            .await
            .expect("the field is there");
    }

    async fn press(&self, selector: &str) {
        let found = within(self.client.find(Locator::Css(selector))).await;
        let button = found.unwrap_or_else(|error| panic!("no `{selector}`: {error}"));
        within(button.click())
            .await
            .expect("the button can be pressed");
    }
}
