//! What both devices say and are told: JSON lines, and the environment.
use serde_json::{json, Value};

pub fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

pub fn say(event: &str, content: Value) {
    println!("{}", json!({ event: content }));
}

/// `Debug` of these crates' errors has the server's answer; their `Display` does not.
pub fn finish(outcome: Result<(), Box<dyn std::error::Error>>) {
    if let Err(error) = outcome {
        say("refused", json!(format!("{error} {error:?}")));
        std::process::exit(1);
    }
}
