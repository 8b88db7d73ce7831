//! URLs, as the WHATWG's standard has them.

use rquickjs::{Ctx, Exception, Object, Result};
use url::form_urlencoded::{self, Serializer};
use url::{Url, quirks};

use super::add_functions;

pub(super) fn add_to(native: &Object<'_>) -> Result<()> {
    add_functions!(native, url_parse url_set form_decode form_encode);
    Ok(())
}

/// The parts of a URL, in the order of `js/url.js`.
fn url_parse(ctx: Ctx<'_>, text: String, base: Option<String>) -> Result<Vec<String>> {
    let base = base.map(|base| parse(&ctx, &base, None)).transpose()?;
    Ok(parts(&parse(&ctx, &text, base.as_ref())?))
}

/// The parts after one of them has changed. What cannot be changed so stays.
fn url_set(ctx: Ctx<'_>, href: String, part: String, value: String) -> Result<Vec<String>> {
    let mut url = parse(&ctx, &href, None)?;
    let value = &*value;
    // The setters ignore what cannot be, as the standard wants it.
    let _ = match &*part {
        "protocol" => quirks::set_protocol(&mut url, value),
        "username" => quirks::set_username(&mut url, value),
        "password" => quirks::set_password(&mut url, value),
        "host" => quirks::set_host(&mut url, value),
        "hostname" => quirks::set_hostname(&mut url, value),
        "port" => quirks::set_port(&mut url, value),
        "pathname" => {
            quirks::set_pathname(&mut url, value);
            Ok(())
        }
        "search" => {
            quirks::set_search(&mut url, value);
            Ok(())
        }
        _ => {
            quirks::set_hash(&mut url, value);
            Ok(())
        }
    };
    Ok(parts(&url))
}

fn parse(ctx: &Ctx<'_>, text: &str, base: Option<&Url>) -> Result<Url> {
    let parsed = Url::options().base_url(base).parse(text);
    parsed.map_err(|error| Exception::throw_type(ctx, &format!("invalid URL `{text}`: {error}")))
}

fn parts(url: &Url) -> Vec<String> {
    let parts = [
        quirks::href(url),
        &quirks::origin(url),
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
    ];
    parts.map(str::to_owned).to_vec()
}

/// Names and values, one after the other.
fn form_decode(text: String) -> Vec<String> {
    let pairs = form_urlencoded::parse(text.as_bytes());
    pairs
        .flat_map(|(name, value)| [name.into_owned(), value.into_owned()])
        .collect()
}

fn form_encode(pairs: Vec<String>) -> String {
    let mut text = Serializer::new(String::new());
    for pair in pairs.chunks_exact(2) {
        text.append_pair(&pair[0], &pair[1]);
    }
    text.finish()
}
