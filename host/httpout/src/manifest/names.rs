//! The names of a series of files.

/// Paths below the directory for writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Names {
    /// In order, each once.
    Listed(Vec<Vec<u8>>),
    /// Those that have digits between these texts, which are at least two.
    Pattern(Vec<Vec<u8>>),
}

impl Names {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_digits_where_they_belong() {
        let texts = ["a/seg-", "-", ".m4s"].map(|text| text.as_bytes().to_vec());
        let names = Names::Pattern(texts.into());
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
    }
}
