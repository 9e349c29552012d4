//! A receiver of webhooks on this machine that behaves as badly as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the receiver does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Takes,
    /// Answers with this status.
    Answers(u16),
    /// Answers nothing for a minute.
    Hangs,
    /// Takes it, and answers a gigabyte.
    Floods,
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Received {
    pub id: String,
    pub timestamp: String,
    pub signature: String,
    pub text: String,
    pub body: Value,
    pub manner: Manner,
}

impl Received {
    /// Whether it is signed with this secret, as Standard Webhooks says.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64_STANDARD
            .decode(secret.trim_start_matches("whsec_"))
            .unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let content = format!("{}.{}.{}", self.id, self.timestamp, self.text);
        self.signature.split(' ').any(|signature| {
            let signature = BASE64_STANDARD
                .decode(signature.trim_start_matches("v1,"))
                .unwrap();
            hmac::verify(&key, content.as_bytes(), &signature).is_ok()
        })
    }
}

type Decide = Box<dyn FnMut(&str) -> Manner + Send>;

#[derive(Clone)]
pub struct Receiver {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    decide: Arc<Mutex<Decide>>,
}

impl Receiver {
    /// A receiver that decides by the `webhook-id` what it does.
    pub async fn new(decide: impl FnMut(&str) -> Manner + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            port: listener.local_addr().unwrap().port(),
            received: Arc::default(),
            decide: Arc::new(Mutex::new(Box::new(decide))),
        };
        let server = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                // Who is cut off in the middle has sent nothing.
                tokio::spawn(async move { server.serve(stream).await.ok() });
            }
        });
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// What has come up to now.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Behaves otherwise from now on.
    pub fn now(&self, decide: impl FnMut(&str) -> Manner + Send + 'static) {
        *self.decide.lock().unwrap() = Box::new(decide);
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        let (head, length) = loop {
            let mut chunk = [0; 4096];
            let read = stream.read(&mut chunk).await?;
            if read == 0 {
                return Ok(());
            }
            bytes.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&bytes);
            if let Some(end) = text.find("\r\n\r\n") {
                let head = text[..end].to_lowercase();
                let length: usize = header(&head, "content-length").parse().unwrap_or(0);
                break (end + 4, length);
            }
        };
        while bytes.len() < head + length {
            let mut chunk = [0; 4096];
            let read = stream.read(&mut chunk).await?;
            if read == 0 {
                return Ok(());
            }
            bytes.extend_from_slice(&chunk[..read]);
        }
        let lines = String::from_utf8(bytes[..head].to_vec()).unwrap();
        let text = String::from_utf8(bytes[head..].to_vec()).unwrap();
        let id = header(&lines, "webhook-id");
        let manner = (self.decide.lock().unwrap())(&id);
        self.received.lock().unwrap().push(Received {
            timestamp: header(&lines, "webhook-timestamp"),
            signature: header(&lines, "webhook-signature"),
            body: serde_json::from_str(&text).unwrap(),
            id,
            text,
            manner,
        });
        match manner {
            Manner::Takes => {
                let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                stream.write_all(answer).await?;
            }
            Manner::Answers(status) => {
                let answer = format!(
                    "HTTP/1.1 {status} Other\r\nlocation: http://127.0.0.1:{}/moved\r\ncontent-length: 0\r\n\
                     connection: close\r\n\r\n",
                    self.port
                );
                stream.write_all(answer.as_bytes()).await?;
            }
            Manner::Hangs => tokio::time::sleep(Duration::from_secs(60)).await,
            Manner::Floods => {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";
                stream.write_all(answer).await?;
                for _ in 0..1024 {
                    stream.write_all(&[b'x'; 1_048_576]).await?;
                }
            }
        }
        stream.shutdown().await
    }
}

fn header(lines: &str, name: &str) -> String {
    lines
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map_or_else(String::new, |(_, value)| value.trim().to_owned())
}
