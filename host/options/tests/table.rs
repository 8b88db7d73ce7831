//! The table against the document, and the ways to give each option.

use httpout_options::{Invocation, Kind, Level, Options, Origin, ROWS, Row, parse, row};

const DOCUMENTED: &str = include_str!("../../../tests/data/documented-options.tsv");

fn server(words: &[String]) -> Options {
    match parse(words.iter().map(Into::into)) {
        Ok(Invocation::Run(mut line)) => line.servers.remove(0),
        other => panic!("{words:?}: {other:?}"),
    }
}

/// A value that is not the default.
fn sample(row: &Row) -> &'static str {
    match row.kind {
        Kind::Bool if row.default == Some("true") => "false",
        Kind::Bool => "true",
        Kind::Uint => "12k",
        Kind::Sint => "-7",
        Kind::Uintl => "8080,8443",
        Kind::Str | Kind::Cstr => "some text",
        Kind::Strl => "a,b",
        Kind::Repeated => "a.wasm?x=1,2",
        Kind::Enum => {
            let mut words = row.choices.iter().map(|choice| choice.name);
            words
                .find(|word| row.default != Some(word))
                .expect("an enum has choices")
        }
    }
}

#[test]
fn the_documented_options_are_those_of_the_document_in_its_order() {
    let documented: Vec<String> = ROWS
        .iter()
        .take_while(|row| row.origin == Origin::Documented)
        .map(|row| {
            format!(
                "{}\t{}\t{}",
                row.name,
                row.kind.name(),
                row.default.unwrap_or_default()
            )
        })
        .collect();
    let expected: Vec<&str> = DOCUMENTED.lines().skip(1).collect();
    assert_eq!(documented, expected);
}

#[test]
fn no_own_option_has_a_documented_name() {
    for (index, row) in ROWS.iter().enumerate() {
        assert!(
            ROWS[..index].iter().all(|other| other.name != row.name),
            "{}",
            row.name
        );
    }
}

#[test]
fn no_two_options_share_a_word() {
    let mut words: Vec<_> = ROWS
        .iter()
        .flat_map(|row| row.choices)
        .map(|choice| choice.name)
        .collect();
    words.extend(ROWS.iter().map(|row| row.name));
    let count = words.len();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), count);
}

#[test]
fn help_texts_are_short_and_begin_in_lower_case() {
    for row in ROWS {
        let choices = row.choices.iter().map(|choice| choice.help);
        for help in choices.chain([row.help]) {
            assert!(!help.ends_with('.'), "{}: {help}", row.name);
            assert!(help.len() < 150, "{}: {help}", row.name);
            let exempt = help.starts_with("URL") || help.starts_with("JavaScript");
            assert!(
                exempt || !help.starts_with(char::is_uppercase),
                "{}: {help}",
                row.name
            );
        }
    }
}

#[test]
fn the_basic_options_of_the_document_are_basic() {
    let basic: Vec<_> = ROWS
        .iter()
        .filter(|row| row.origin == Origin::Documented && row.level == Level::Basic)
        .map(|row| row.name)
        .collect();
    assert_eq!(
        basic,
        ["dst", "port", "rdirs", "wdir", "cert", "pkey", "user_agent"]
    );
}

#[test]
fn every_option_has_its_default_until_it_is_given() {
    let options = Options::default();
    for row in ROWS {
        assert!(!options.is_set(row.name), "{}", row.name);
        let mut same = Options::default();
        if let Some(default) = row.default {
            same.set(row, default).expect("defaults are valid");
            assert!(same.is_set(row.name));
        }
        assert_eq!(
            options.value_of(row.name),
            same.value_of(row.name),
            "{}",
            row.name
        );
    }
    assert_eq!(options.maxs, 50_000_000);
    assert_eq!(options.port, [0]);
    assert!(options.cte && options.ka && !options.hold);
    assert_eq!(options.wdir, None);
    assert_eq!(options.value_of("wdir"), None);
    assert_eq!(options.value_of("nothing"), None);
}

#[test]
fn a_flag_is_what_the_argument_of_a_filter_is() {
    // `dst` makes an output of either, and a filter names no configuration file.
    let rows = ROWS.iter();
    for row in rows.filter(|row| !["dst", "config"].contains(&row.name)) {
        let (name, value) = (row.name, sample(row));
        let argument = server(&[format!("httpout:{name}={value}")]);
        assert!(argument.is_set(name), "{name}");
        assert_ne!(
            argument.value_of(name),
            Options::default().value_of(name),
            "{name}"
        );
        assert_eq!(server(&[format!("--{name}={value}")]), argument, "{name}");
        assert_eq!(
            server(&[format!("--{}={value}", name.replace('_', "-"))]),
            argument,
            "{name}"
        );
        if row.kind == Kind::Bool {
            let alone =
                [format!("--{name}"), format!("httpout:{name}")].map(|word| server(&[word]));
            assert_eq!(alone[0], alone[1], "{name}");
            assert_eq!(alone[0].value_of(name).as_deref(), Some("true"), "{name}");
        } else {
            assert_eq!(
                server(&[format!("--{name}"), value.to_owned()]),
                argument,
                "{name}"
            );
        }
        if row.kind == Kind::Enum {
            assert_eq!(server(&[format!("httpout:{value}")]), argument, "{name}");
        }
    }
}

#[test]
fn a_value_written_back_is_the_same_value() {
    for row in ROWS {
        let mut options = Options::default();
        options.set(row, sample(row)).expect("a sample");
        let written = options.value_of(row.name).expect("a value");
        let mut again = Options::default();
        again.set(row, &written).expect("its own value");
        assert_eq!(options, again, "{}", row.name);
    }
}

#[test]
fn numbers_have_suffixes_and_bounds() {
    let mut options = Options::default();
    let mut set = |name: &str, text: &str| {
        let result = options.set(row(name).expect("an option"), text);
        result.map(|()| options.value_of(name).expect("a value"))
    };
    for (text, value) in [
        ("0", "0"),
        ("12", "12"),
        ("2k", "2000"),
        ("2K", "2000"),
        ("50m", "50000000"),
        ("50M", "50000000"),
        ("1g", "1000000000"),
        ("5G", "5000000000"),
        ("18446744073709551615", "18446744073709551615"),
    ] {
        assert_eq!(set("maxs", text).as_deref(), Ok(value));
    }
    for text in [
        "",
        "-1",
        "+1",
        "k",
        "1kk",
        "1.5M",
        "0x10",
        " 1",
        "1 ",
        "٣",
        "18446744073709551616",
        "18446744073709551G",
    ] {
        assert!(set("maxs", text).is_err(), "{text}");
    }
    for (text, value) in [
        ("-5", "-5"),
        ("5", "5"),
        ("-2k", "-2000"),
        ("-9223372036854775808", "-9223372036854775808"),
    ] {
        assert_eq!(set("max_cache_segs", text).as_deref(), Ok(value));
    }
    for text in [
        "",
        "-",
        "--5",
        "-k",
        "9223372036854775808",
        "-9223372036854775809",
        "-9223372036854775G",
    ] {
        assert!(set("max_cache_segs", text).is_err(), "{text}");
    }
    for text in ["65536", "80,", ",80", "80,x", "-1"] {
        assert!(set("port", text).is_err(), "{text}");
    }
}

#[test]
fn booleans_have_the_usual_words() {
    let mut options = Options::default();
    let dlist = row("dlist").expect("an option");
    for (words, value) in [
        (["true", "yes", "on", "1"], true),
        (["false", "no", "off", "0"], false),
    ] {
        for word in words {
            options.set(dlist, word).expect("a boolean");
            assert_eq!(options.dlist, value);
        }
    }
    assert!(options.set(dlist, "").is_err());
    assert!(options.set(dlist, "TRUE").is_err());
}

#[test]
fn a_value_that_is_refused_changes_nothing() {
    let mut options = Options::default();
    options
        .set(row("port").expect("an option"), "80,x")
        .expect_err("not a port");
    assert_eq!(options, Options::default());
}
