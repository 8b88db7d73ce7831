//! The names that a segment template makes (ISO/IEC 23009-1 5.3.9.4.4).

use crate::manifest::{LARGEST_NUMBER, Names};

/// Stand for what a template puts in: no reference holds them (code points for private use).
const NUMBER: char = '\u{e000}';
const TIME: char = '\u{e001}';

/// Paths with a number or a time in them, for each segment another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    /// One more than there are fields.
    texts: Vec<Vec<u8>>,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    unit: Unit,
    /// The fewest digits.
    width: usize,
}

/// What tells one segment of a template from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Number,
    Time,
}

/// A template that is not resolved yet: a reference, and how its fields look.
pub(super) struct Unresolved {
    pub(super) reference: String,
    fields: Vec<Field>,
}

impl Unresolved {
    /// None where several files make up a segment.
    pub(super) fn parse(template: &str, representation: &str, bandwidth: &str) -> Option<Self> {
        let mut reference = String::new();
        let mut fields = Vec::new();
        for (index, piece) in template.split('$').enumerate() {
            let (name, format) = piece.split_once('%').unwrap_or((piece, ""));
            let unit = match (index % 2, name) {
                (0, _) => {
                    reference.push_str(piece);
                    continue;
                }
                (_, "Number") => Unit::Number,
                (_, "Time") => Unit::Time,
                (_, "") => {
                    reference.push('$');
                    continue;
                }
                (_, "RepresentationID") => {
                    reference.push_str(representation);
                    continue;
                }
                (_, "Bandwidth") => {
                    reference.push_str(bandwidth);
                    continue;
                }
                _ => return None,
            };
            reference.push(match unit {
                Unit::Number => NUMBER,
                Unit::Time => TIME,
            });
            let width = format.trim_end_matches('d').parse().unwrap_or(1);
            let width = std::cmp::min(width, 20);
            fields.push(Field { unit, width });
        }
        Some(Unresolved { reference, fields })
    }

    /// The template of a path that the reference has led to; none where that is of one file only.
    pub(super) fn resolved(self, path: &[u8]) -> Option<Template> {
        let texts = Template::split(path);
        let is_one = texts.len() == self.fields.len() + 1 && texts.len() > 1;
        is_one.then_some(Template {
            texts,
            fields: self.fields,
        })
    }
}

impl Template {
    fn split(path: &[u8]) -> Vec<Vec<u8>> {
        let mut marks = [[0; 4]; 2];
        let [number, time] = &mut marks;
        let number = NUMBER.encode_utf8(number).as_bytes();
        let time = TIME.encode_utf8(time).as_bytes();
        let mut texts = vec![Vec::new()];
        let mut rest = path;
        while let [first, behind @ ..] = rest {
            match rest.strip_prefix(number).or(rest.strip_prefix(time)) {
                Some(behind) => {
                    texts.push(Vec::new());
                    rest = behind;
                }
                None => {
                    texts.last_mut().expect("has one").push(*first);
                    rest = behind;
                }
            }
        }
        texts
    }

    /// The same below another directory.
    pub(crate) fn below(mut self, directory: &[u8]) -> Template {
        let first = self.texts.first_mut().expect("has one");
        *first = [directory, b"/", first].concat();
        self
    }

    /// The names as those of a series.
    pub(crate) fn names(&self) -> Names {
        Names::Pattern(self.texts.clone())
    }

    /// By what segments are told apart.
    pub(crate) fn unit(&self) -> Unit {
        let has_number = self.fields.iter().any(|field| field.unit == Unit::Number);
        if has_number { Unit::Number } else { Unit::Time }
    }

    /// The number or time that a path has.
    pub(crate) fn value(&self, path: &[u8]) -> Option<u64> {
        let (first, more) = self.texts.split_first()?;
        let mut rest = path.strip_prefix(&**first)?;
        let mut value = None;
        for (field, text) in self.fields.iter().zip(more) {
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, behind) = rest.split_at(count);
            rest = behind.strip_prefix(&**text)?;
            let read: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
            if field.unit == self.unit() {
                value = Some(read);
            }
        }
        value.filter(|value| rest.is_empty() && *value < LARGEST_NUMBER)
    }

    /// The path of a number or time; none where both are in it.
    pub(crate) fn path(&self, value: u64) -> Option<Vec<u8>> {
        let (first, more) = self.texts.split_first()?;
        let mut path = first.clone();
        for (field, text) in self.fields.iter().zip(more) {
            if field.unit != self.unit() {
                return None;
            }
            let width = field.width;
            path.extend_from_slice(format!("{value:0width$}").as_bytes());
            path.extend_from_slice(text);
        }
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        let unresolved = Unresolved::parse(text, "v1", "2000").expect("is one");
        let path = unresolved.reference.clone();
        unresolved.resolved(path.as_bytes()).expect("has fields")
    }

    #[test]
    fn names_are_made_and_understood() {
        for (text, value, path) in [
            ("s-$Number$.m4s", 7, "s-7.m4s"),
            ("s-$Number%05d$.m4s", 7, "s-00007.m4s"),
            (
                "$RepresentationID$/$Time$.m4s",
                90_000_000_000,
                "v1/90000000000.m4s",
            ),
            ("$Bandwidth$-$$-$Number%03d$", 1234, "2000-$-1234"),
        ] {
            let template = template(text);
            assert_eq!(
                template.path(value).as_deref(),
                Some(path.as_bytes()),
                "{text}"
            );
            assert_eq!(template.value(path.as_bytes()), Some(value), "{text}");
        }
        let both = template("$Number$-$Time$.m4s");
        assert_eq!((both.value(b"3-500.m4s"), both.path(3)), (Some(3), None));
        for other in ["s-.m4s", "s-1.m4s2", "x-1.m4s", "s-1x.m4s", "s-a.m4s"] {
            assert_eq!(
                template("s-$Number$.m4s").value(other.as_bytes()),
                None,
                "{other}"
            );
        }
        assert!(Unresolved::parse("$SubNumber$", "", "").is_none());
    }
}
