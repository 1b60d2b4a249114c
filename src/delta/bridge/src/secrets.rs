// SPDX-License-Identifier: Apache-2.0
//! Texts that no message may show, wherever it comes from: libraries quote what they were given.

use std::collections::BTreeSet;
use std::sync::{LazyLock, PoisonError, RwLock};

/// Shorter texts would be found in words that are none.
const BYTES_MIN: usize = 6;

static KNOWN: LazyLock<RwLock<BTreeSet<String>>> = LazyLock::new(Default::default);

/// From now on no message shows `text`.
pub fn keep(text: &str) {
    if text.len() >= BYTES_MIN {
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(text.to_string());
    }
}

/// Keeps the value of an option whose name tells that it is a secret.
pub fn keep_option(name: &str, value: &str) {
    let name = name.to_ascii_lowercase();
    let says_where = ["_file", "_uri", "_endpoint", "_path"];
    let is_secret = ["key", "secret", "token", "sas", "password", "proxy_url"]
        .iter()
        .any(|word| name.contains(word));
    if is_secret && !says_where.iter().any(|end| name.ends_with(end)) && !is_switch(value) {
        keep(value);
    }
}

fn is_switch(value: &str) -> bool {
    ["true", "false"].contains(&value.to_ascii_lowercase().as_str())
}

/// `message` without what was kept.
pub fn hide(message: String) -> String {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    known.iter().filter(|text| message.contains(text.as_str())).fold(
        message.clone(),
        // The longer of two texts that overlap may have lost a part to the other one already.
        |shown, text| shown.replace(text.as_str(), "***"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_not_shown() {
        keep("hunter2-hunter2");
        assert_eq!(hide("GET /?sig=hunter2-hunter2&x".to_string()), "GET /?sig=***&x");
        assert_eq!(hide("nothing".to_string()), "nothing");
    }

    #[test]
    fn options_are_secrets_by_their_names() {
        keep_option("aws_secret_access_key", "wJalrXUtnFEMI");
        keep_option("AZURE_STORAGE_SAS_KEY", "sv=2023&sig=abc");
        keep_option("aws_region", "eu-central-1");
        keep_option("aws_web_identity_token_file", "/var/run/identity");
        keep_option("azure_disable_token", "false");
        let message = "wJalrXUtnFEMI sv=2023&sig=abc eu-central-1 /var/run/identity false";
        assert_eq!(hide(message.to_string()), "*** *** eu-central-1 /var/run/identity false");
    }
}
