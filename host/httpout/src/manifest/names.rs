//! The names of a series of files.

/// Stands for the digits of a pattern: no reference holds it (a code point for private use).
pub(super) const DIGITS: char = '\u{e000}';

/// Paths below the directory for writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Names {
    /// In order, each once.
    Listed(Vec<Vec<u8>>),
    /// Those that have digits between these texts, which are at least two.
    Pattern(Vec<Vec<u8>>),
}

impl Names {
    /// A path with [`DIGITS`] in it; none where there are none.
    pub(super) fn pattern(path: &[u8]) -> Option<Names> {
        let mut digits = [0; DIGITS.len_utf8()];
        let digits = DIGITS.encode_utf8(&mut digits).as_bytes();
        let mut texts = Vec::new();
        let mut rest = path;
        while let Some(at) = find(rest, digits) {
            texts.push(rest[..at].to_vec());
            rest = &rest[at + digits.len()..];
        }
        texts.push(rest.to_vec());
        (texts.len() > 1).then_some(Names::Pattern(texts))
    }

    /// Whether these are a pattern that a path has.
    pub(crate) fn match_pattern(&self, path: &[u8]) -> bool {
        match self {
            Names::Listed(_) => false,
            Names::Pattern(texts) => matches(texts, path),
        }
    }

    /// What all paths begin with, as far as a pattern tells.
    pub(crate) fn prefix(&self) -> &[u8] {
        match self {
            Names::Listed(_) => b"",
            Names::Pattern(texts) => texts.first().map_or(b"", |text| text),
        }
    }
}

/// Digits are as many as there are: what follows them in a pattern begins with none.
fn matches(texts: &[Vec<u8>], path: &[u8]) -> bool {
    let [first, more @ ..] = texts else {
        return path.is_empty();
    };
    let Some(mut rest) = path.strip_prefix(&**first) else {
        return false;
    };
    for text in more {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match rest[digits..].strip_prefix(&**text) {
            Some(behind) if digits > 0 => rest = behind,
            _ => return false,
        }
    }
    rest.is_empty()
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_digits_where_they_belong() {
        let path = format!("a/seg-{DIGITS}-{DIGITS}.m4s");
        let names = Names::pattern(path.as_bytes()).expect("has digits");
        assert_eq!(names.prefix(), b"a/seg-");
        for (path, is_one) in [
            ("a/seg-1-22.m4s", true),
            ("a/seg-1-.m4s", false),
            ("a/seg-1-2.m4s2", false),
            ("a/seg-x-2.m4s", false),
            ("seg-1-2.m4s", false),
            ("a/seg-1-2/x.m4s", false),
        ] {
            assert_eq!(names.match_pattern(path.as_bytes()), is_one, "{path}");
        }
        assert_eq!(Names::pattern(b"init.mp4"), None);
    }
}
