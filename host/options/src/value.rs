//! Values as they are written: one function for each kind of the table.
//!
//! An error is the reason only; who asked knows the option and the text.

use crate::choice::{Choice, Choices};
use crate::plugin::Plugin;

/// What a text is of its option.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// The value, as on the command line.
    Text,
    /// One item of a list.
    Item,
}

/// Items of lists: those of texts may hold commas.
pub(crate) mod item {
    pub(crate) use super::{bool, choice, cstr, repeated, sint, str, uint, uintl};

    pub(crate) fn strl(text: &str) -> Result<Vec<String>, String> {
        Ok(vec![text.to_owned()])
    }
}

pub(crate) fn bool(text: &str) -> Result<bool, String> {
    match text {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("is not a boolean (`true` or `false`)".to_owned()),
    }
}

pub(crate) fn uint(text: &str) -> Result<u64, String> {
    let (digits, factor) = suffix(text);
    if !is_digits(digits) {
        return Err("is not an unsigned integer (such as `30`, `64k` or `50M`)".to_owned());
    }
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor.unsigned_abs()))
        .ok_or_else(|| format!("is too large (0 to {})", u64::MAX))
}

pub(crate) fn sint(text: &str) -> Result<i64, String> {
    let (digits, factor) = suffix(text);
    if !is_digits(digits.strip_prefix('-').unwrap_or(digits)) {
        return Err("is not an integer (such as `5`, `-5` or `2k`)".to_owned());
    }
    digits
        .parse::<i64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| format!("is too large ({} to {})", i64::MIN, i64::MAX))
}

/// The one option of this kind is `port`.
pub(crate) fn uintl(text: &str) -> Result<Vec<u16>, String> {
    list(text)
        .map(|item| {
            uint(item)
                .ok()
                .and_then(|number| u16::try_from(number).ok())
        })
        .collect::<Option<_>>()
        .ok_or_else(|| "is not an unsigned integer (0 to 65535)".to_owned())
}

/// An empty text takes the value away, so that `:wdir=` undoes `--wdir=incoming` for one filter.
pub(crate) fn str(text: &str) -> Result<Option<String>, String> {
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

pub(crate) use str as cstr;

pub(crate) fn strl(text: &str) -> Result<Vec<String>, String> {
    Ok(list(text).map(str::to_owned).collect())
}

pub(crate) fn repeated(text: &str) -> Result<Vec<Plugin>, String> {
    Ok(str(text)?
        .as_deref()
        .map(Plugin::parse)
        .into_iter()
        .collect())
}

pub(crate) fn choice<C: Choices>(text: &str) -> Result<C, String> {
    C::VALUES
        .iter()
        .copied()
        .find(|value| value.name() == text)
        .ok_or_else(|| format!("is none of {}", names(C::CHOICES)))
}

fn suffix(text: &str) -> (&str, i64) {
    let factor = match text.chars().last() {
        Some('k' | 'K') => 1_000,
        Some('m' | 'M') => 1_000_000,
        Some('g' | 'G') => 1_000_000_000,
        _ => return (text, 1),
    };
    (&text[..text.len() - 1], factor)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(move |_| !text.is_empty())
}

fn names(choices: &[Choice]) -> String {
    let names: Vec<_> = choices
        .iter()
        .map(|choice| format!("`{}`", choice.name))
        .collect();
    names.join(", ")
}

/// A field of `Options`.
pub(crate) trait Value: Sized {
    /// The value of an option without a default.
    fn unset() -> Self {
        unreachable!("an option of this kind has a default")
    }

    /// Take the value that was given, perhaps for the second time.
    fn put(&mut self, new: Self, _again: bool) {
        *self = new;
    }

    fn show(&self) -> Option<String>;

    /// Let each path be what `resolve` makes of it.
    fn resolve(&mut self, _resolve: &dyn Fn(&str) -> String) {}
}

/// An item of a list.
pub(crate) trait Item: ToString {
    fn resolve(&mut self, _resolve: &dyn Fn(&str) -> String) {}
}

impl Item for u16 {}

impl Item for String {
    fn resolve(&mut self, resolve: &dyn Fn(&str) -> String) {
        *self = resolve(self);
    }
}

impl Value for bool {
    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for u64 {
    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for i64 {
    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for Option<String> {
    fn unset() -> Self {
        None
    }

    fn show(&self) -> Option<String> {
        self.clone()
    }

    fn resolve(&mut self, resolve: &dyn Fn(&str) -> String) {
        if let Some(path) = self {
            *path = resolve(path);
        }
    }
}

impl<T: Item> Value for Vec<T> {
    fn unset() -> Self {
        Vec::new()
    }

    fn put(&mut self, new: Self, again: bool) {
        if !again {
            self.clear();
        }
        self.extend(new);
    }

    fn show(&self) -> Option<String> {
        let items: Vec<_> = self.iter().map(T::to_string).collect();
        (!items.is_empty()).then(|| items.join(","))
    }

    fn resolve(&mut self, resolve: &dyn Fn(&str) -> String) {
        self.iter_mut().for_each(|item| item.resolve(resolve));
    }
}

impl<C: Choices> Value for C {
    fn show(&self) -> Option<String> {
        Some(self.name().to_owned())
    }
}
