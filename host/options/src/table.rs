//! How the table becomes `ROWS` and `Options`.

/// Turns the table into the static `ROWS` and the struct `Options`.
macro_rules! options {
    ($($origin:ident { $(
        $name:ident $kind:ident $(<$choice:ident>)? = $default:tt
        $value:literal $level:ident $state:ident $group:ident $help:literal
    )* })*) => {
        /// Every option, the documented ones first, in the order of the document.
        pub static ROWS: &[Row] = &[$($(
            Row {
                name: stringify!($name),
                kind: kind_of!($kind),
                default: default_of!($default),
                value: $value,
                level: Level::$level,
                state: State::$state,
                group: Group::$group,
                help: $help,
                choices: choices_of!($($choice)?),
                origin: Origin::$origin,
            },
        )*)*];

        /// The value of every option.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Options {
            $($(
                #[doc = $help]
                pub $name: type_of!($kind $($choice)?),
            )*)*
            given: [Option<Place>; ROWS.len()],
        }

        impl Default for Options {
            /// The documented defaults, with none given.
            fn default() -> Self {
                Options {
                    $($(
                        $name: default_of!($default)
                            .map(|text| value::$kind$(::<$choice>)?(text).expect("defaults are valid"))
                            .unwrap_or_else(Value::unset),
                    )*)*
                    given: [None; ROWS.len()],
                }
            }
        }

        impl Options {
            /// Parse `text` as the value of an option; a list that is given again grows.
            pub fn set(&mut self, row: &Row, text: &str) -> Result<(), UsageError> {
                self.put(row, text, Form::Text)
            }

            /// Parse `text` as one item of a list, which may hold commas.
            pub(crate) fn push(&mut self, row: &Row, text: &str) -> Result<(), UsageError> {
                self.put(row, text, Form::Item)
            }

            fn put(&mut self, row: &Row, text: &str, form: Form) -> Result<(), UsageError> {
                let index = index(row.name).expect("every row is in the table");
                let again = self.given[index].is_some();
                match row.name {
                    $($(
                        stringify!($name) => {
                            let value = match form {
                                Form::Text => value::$kind$(::<$choice>)?(text),
                                Form::Item => value::item::$kind$(::<$choice>)?(text),
                            };
                            let value = value.map_err(|reason| UsageError::InvalidValue {
                                option: stringify!($name),
                                value: text.to_owned(),
                                reason,
                            })?;
                            self.$name.put(value, again);
                        }
                    )*)*
                    _ => unreachable!("every row is in the table"),
                }
                self.given[index] = Some(Place::CommandLine);
                Ok(())
            }

            /// The value as it would be written on the command line, whether given or the default.
            pub fn value_of(&self, name: &str) -> Option<String> {
                match name {
                    $($( stringify!($name) => self.$name.show(), )*)*
                    _ => None,
                }
            }

            /// Was this option given, with whatever value?
            pub fn is_set(&self, name: &str) -> bool {
                self.place_of(name).is_some()
            }

            /// Where this option was given.
            pub fn place_of(&self, name: &str) -> Option<Place> {
                index(name).and_then(|index| self.given[index])
            }

            /// All that has no place in a configuration file yet stands in this line of it.
            pub(crate) fn place_in_line(&mut self, line: usize) {
                let given = self.given.iter_mut().flatten();
                given
                    .filter(|place| **place == Place::CommandLine)
                    .for_each(|place| *place = Place::Line(line));
            }

            /// Relative paths are below this directory, whose path ends with a slash.
            pub(crate) fn resolve(&mut self, base: &str) {
                for (index, row) in ROWS.iter().enumerate() {
                    if self.given[index].is_none() {
                        continue;
                    }
                    match row.name {
                        $($( stringify!($name) => Value::resolve(&mut self.$name, &|path| row.resolve(path, base)), )*)*
                        _ => unreachable!("every row is in the table"),
                    }
                }
            }

            /// Take from `general` what is given there and not here.
            pub fn inherit(&mut self, general: &Options) {
                for (index, row) in ROWS.iter().enumerate() {
                    if self.given[index].is_some() || general.given[index].is_none() {
                        continue;
                    }
                    self.given[index] = general.given[index];
                    match row.name {
                        $($( stringify!($name) => self.$name = general.$name.clone(), )*)*
                        _ => unreachable!("every row is in the table"),
                    }
                }
            }
        }

        fn index(name: &str) -> Option<usize> {
            ROWS.iter().position(|row| row.name == name)
        }
    };
}

/// The type of an option's field.
macro_rules! type_of {
    (bool) => { bool };
    (uint) => { u64 };
    (sint) => { i64 };
    (uintl) => { Vec<u16> };
    (str) => { Option<String> };
    (cstr) => { Option<String> };
    (strl) => { Vec<String> };
    (repeated) => { Vec<Plugin> };
    (choice $choice:ident) => { $choice };
}

macro_rules! kind_of {
    (bool) => {
        Kind::Bool
    };
    (uint) => {
        Kind::Uint
    };
    (sint) => {
        Kind::Sint
    };
    (uintl) => {
        Kind::Uintl
    };
    (str) => {
        Kind::Str
    };
    (cstr) => {
        Kind::Cstr
    };
    (strl) => {
        Kind::Strl
    };
    (repeated) => {
        Kind::Repeated
    };
    (choice) => {
        Kind::Enum
    };
}

macro_rules! default_of {
    (-) => {
        None::<&'static str>
    };
    ($text:literal) => {
        Some($text)
    };
}

macro_rules! choices_of {
    () => {
        &[]
    };
    ($choice:ident) => {
        $choice::CHOICES
    };
}

pub(crate) use {choices_of, default_of, kind_of, options, type_of};
