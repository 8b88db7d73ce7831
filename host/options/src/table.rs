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
            given: [bool; ROWS.len()],
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
                    given: [false; ROWS.len()],
                }
            }
        }

        impl Options {
            /// Parse `text` as the value of an option; a list that is given again grows.
            pub fn set(&mut self, row: &Row, text: &str) -> Result<(), UsageError> {
                let index = index(row.name).expect("every row is in the table");
                let again = self.given[index];
                match row.name {
                    $($(
                        stringify!($name) => self.$name.put(
                            value::$kind$(::<$choice>)?(text).map_err(|reason| UsageError::InvalidValue {
                                option: stringify!($name),
                                value: text.to_owned(),
                                reason,
                            })?,
                            again,
                        ),
                    )*)*
                    _ => unreachable!("every row is in the table"),
                }
                self.given[index] = true;
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
                index(name).is_some_and(|index| self.given[index])
            }

            /// Take from `general` what is given there and not here.
            pub fn inherit(&mut self, general: &Options) {
                for (index, row) in ROWS.iter().enumerate() {
                    if self.given[index] || !general.given[index] {
                        continue;
                    }
                    self.given[index] = true;
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
    (repeated) => { Vec<String> };
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
