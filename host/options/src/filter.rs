//! Filter strings: `httpout:port=8080:rdirs=a,b:dlist`, `live.mp3:#ice-Genre=Rock`.
//!
//! A `:` separates only when an argument follows: a name that ends at `=`, at the next `:` or at the end, or a
//! `#property`. So a colon before a port, in an address, in a time or after a scheme belongs to the value it stands in.
//! What that rule would cut too early can be kept whole in two ways, both GPAC's: `:gpac` ends a URL, and an argument
//! that begins after `::` ends at the next `::` only.

use crate::error::UsageError;

/// A filter string, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterString {
    /// What stands before the first argument: a filter, a URL or a path.
    pub head: String,
    /// The arguments, in order.
    pub arguments: Vec<Argument>,
    /// The properties `#name=value`, in order.
    pub properties: Vec<(String, String)>,
}

/// An argument: its name and what follows `=`. `!name` is `name=false`.
pub type Argument = (String, Option<String>);

impl FilterString {
    /// Take apart a source or a destination with its arguments.
    pub fn endpoint(text: &str) -> Result<FilterString, UsageError> {
        // What follows is a path, also where it looks like an argument.
        let start = if text.starts_with(UNIX) {
            UNIX.len()
        } else {
            0
        };
        let value = &text[start..];
        FilterString::parse(text, start + end_of_value(value, Separator::Single))
    }

    /// Take apart a filter with its arguments.
    pub fn filter(text: &str) -> Result<FilterString, UsageError> {
        FilterString::parse(text, text.find(':').unwrap_or(text.len()))
    }

    fn parse(text: &str, head: usize) -> Result<FilterString, UsageError> {
        let mut string = FilterString {
            head: text[..head].to_owned(),
            arguments: Vec::new(),
            properties: Vec::new(),
        };
        let mut rest = &text[head..];
        while let Some(single) = rest.strip_prefix(':') {
            let (argument, separator) = match single.strip_prefix(':') {
                Some(double) => (double, Separator::Double),
                None => (single, Separator::Single),
            };
            let end = end_of_argument(argument, separator);
            string
                .add(&argument[..end])
                .ok_or_else(|| UsageError::InvalidArgument {
                    word: text.to_owned(),
                    argument: argument[..end].to_owned(),
                })?;
            rest = &argument[end..];
        }
        Ok(string)
    }

    /// Add one argument or property; `None` if it is neither.
    fn add(&mut self, text: &str) -> Option<()> {
        if let Some(property) = text.strip_prefix('#') {
            let (name, value) = property.split_once('=')?;
            self.properties.push((name.to_owned(), value.to_owned()));
        } else if let Some(name) = text.strip_prefix('!') {
            let name = Some(name).filter(|name| is_name(name))?;
            self.arguments
                .push((name.to_owned(), Some("false".to_owned())));
        } else if !text.is_empty() && text != MARKER {
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (text, None),
            };
            let name = Some(name).filter(|name| is_name(name))?;
            self.arguments.push((name.to_owned(), value));
        }
        Some(())
    }
}

/// The scheme of a socket with a path.
const UNIX: &str = "unix:";

/// `http://host/path:gpac:name=value`: the URL ends here, whatever stood in it.
const MARKER: &str = "gpac";

#[derive(Clone, Copy, PartialEq)]
enum Separator {
    Single,
    Double,
}

fn end_of_argument(text: &str, separator: Separator) -> usize {
    match text.find([':', '=']) {
        Some(equals) if text[equals..].starts_with('=') => {
            equals + 1 + end_of_value(&text[equals + 1..], separator)
        }
        _ => end_of_value(text, separator),
    }
}

fn end_of_value(text: &str, separator: Separator) -> usize {
    let authority = authority(text);
    if authority.is_some()
        && separator == Separator::Single
        && let Some(end) = marker(text)
    {
        return end;
    }
    let start = authority.map_or(0, |start| start + address(&text[start..]));
    text[start..]
        .match_indices(':')
        .map(|(index, _)| start + index)
        .find(|index| separates(&text[index + 1..], separator))
        .unwrap_or(text.len())
}

/// Where the authority of a URL begins.
fn authority(text: &str) -> Option<usize> {
    let (scheme, _) = text.split_once("://")?;
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    scheme
        .chars()
        .all(in_scheme)
        .then_some(scheme.len() + "://".len())
}

fn marker(text: &str) -> Option<usize> {
    text.match_indices(":gpac")
        .map(|(index, found)| (index, &text[index + found.len()..]))
        .find(|(_, after)| after.is_empty() || after.starts_with(':'))
        .map(|(index, _)| index)
}

/// The length of an IPv6 address in brackets, whose parts look like arguments.
fn address(authority: &str) -> usize {
    match authority.starts_with('[') {
        true => authority.find(']').unwrap_or(0),
        false => 0,
    }
}

/// Does the `:` before this text begin an argument?
fn separates(after: &str, separator: Separator) -> bool {
    let argument = match (after.strip_prefix(':'), separator) {
        (Some(double), _) => double,
        (None, Separator::Single) => after,
        (None, Separator::Double) => return false,
    };
    let end = argument.find([':', '=']).unwrap_or(argument.len());
    let name = &argument[..end];
    name.is_empty() && end == argument.len()
        || name.starts_with('#')
        || is_name(name.strip_prefix('!').unwrap_or(name))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> (String, Vec<Argument>) {
        let string = FilterString::endpoint(text).expect("a filter string");
        (string.head, string.arguments)
    }

    fn filter(text: &str) -> Vec<Argument> {
        FilterString::filter(text)
            .expect("a filter string")
            .arguments
    }

    fn argument(name: &str, value: &str) -> Argument {
        (name.to_owned(), Some(value.to_owned()))
    }

    #[test]
    fn a_port_belongs_to_its_url() {
        for url in [
            "http://localhost",
            "http://localhost:8080",
            "http://localhost:8080/",
            "http://localhost:8080/live.mpd",
            "http://[::1]:8080/x",
            "http://[fe80::dlist:1]:8080",
            "http://name:pass@host:8080/x",
        ] {
            assert_eq!(endpoint(url), (url.to_owned(), vec![]));
            let with_arguments = format!("{url}:rdirs=temp:dlist");
            let arguments = vec![argument("rdirs", "temp"), ("dlist".to_owned(), None)];
            assert_eq!(endpoint(&with_arguments), (url.to_owned(), arguments));
        }
    }

    #[test]
    fn a_colon_that_begins_no_argument_belongs_to_the_value() {
        assert_eq!(endpoint("http://host/a:b.mp3").0, "http://host/a:b.mp3");
        assert_eq!(
            filter("httpout:hdrs=X-Time,12:30:dst=udp://1.2.3.4:1234:js=http://h/x.js"),
            vec![
                argument("hdrs", "X-Time,12:30"),
                argument("dst", "udp://1.2.3.4:1234"),
                argument("js", "http://h/x.js")
            ]
        );
    }

    #[test]
    fn the_marker_ends_a_url() {
        let url = "http://host/x?a=1:b=2";
        let arguments = vec![argument("hmode", "push")];
        assert_eq!(
            endpoint(&format!("{url}:gpac:hmode=push")),
            (url.to_owned(), arguments)
        );
        assert_eq!(endpoint(&format!("{url}:gpac")), (url.to_owned(), vec![]));
        assert_eq!(
            filter("f:a=http://foo/bar?b=c:d=e:gpac:g=h"),
            vec![argument("a", "http://foo/bar?b=c:d=e"), argument("g", "h")]
        );
    }

    #[test]
    fn an_argument_after_a_doubled_separator_ends_at_the_next_doubled_one() {
        assert_eq!(filter("f::a=foo:b=bar"), vec![argument("a", "foo:b=bar")]);
        assert_eq!(
            filter("f:a=foo::b=bar:c::d=fun"),
            vec![
                argument("a", "foo"),
                argument("b", "bar:c"),
                argument("d", "fun")
            ]
        );
        assert_eq!(
            filter("httpout::rdirs=a:b::port=80"),
            vec![argument("rdirs", "a:b"), argument("port", "80")]
        );
        assert_eq!(
            filter("f::opt1=UDP://IP:PORT/:someopt=VAL::opt2=VAL2"),
            vec![
                argument("opt1", "UDP://IP:PORT/:someopt=VAL"),
                argument("opt2", "VAL2")
            ]
        );
    }

    #[test]
    fn an_exclamation_mark_negates() {
        assert_eq!(filter("httpout:!cte"), vec![argument("cte", "false")]);
    }

    #[test]
    fn properties_are_apart_from_arguments() {
        let string =
            FilterString::endpoint("a.mp3:#ice-Genre=CoolRock:ext=mp3:#Name=A=B").expect("valid");
        assert_eq!(string.head, "a.mp3");
        assert_eq!(string.arguments, vec![argument("ext", "mp3")]);
        let properties = [("ice-Genre", "CoolRock"), ("Name", "A=B")];
        assert_eq!(
            string.properties,
            properties.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn a_colon_at_the_end_adds_nothing() {
        assert_eq!(filter("httpout:"), vec![]);
        assert_eq!(filter("httpout:port=80:"), vec![argument("port", "80")]);
    }

    #[test]
    fn an_argument_without_a_name_is_an_error() {
        for text in [
            "httpout:8080",
            "httpout:=x",
            "httpout:#Genre",
            "httpout:!=x",
        ] {
            let error = FilterString::filter(text).expect_err(text).to_string();
            assert!(error.starts_with(&format!("`{text}`: ")), "{error}");
        }
    }
}
