//! Configuration files: each says what a command line says, and what is wrong is told with its line.

use httpout_options::{
    CommandLine, ConfigFile, Invocation, Kind, MEDIA_OPTIONS, Options, Place, ROWS, Row, parse,
};

fn line(words: &[&str]) -> CommandLine {
    match parse(words.iter().map(Into::into)) {
        Ok(Invocation::Run(line)) => line,
        other => panic!("{words:?}: {other:?}"),
    }
}

fn file(text: &str) -> ConfigFile {
    ConfigFile::parse("httpout.toml", text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(text: &str) -> String {
    let error = ConfigFile::parse("httpout.toml", text).expect_err(text);
    error.to_string()
}

/// The servers of a line over a file.
fn servers(words: &[&str], text: &str) -> Vec<Options> {
    line(words).over(file(text)).servers
}

/// What a file alone says.
fn server(text: &str) -> Options {
    servers(&["--config=httpout.toml"], text).remove(0)
}

/// Every option that was given, and its value.
fn values(options: &Options) -> Vec<(&'static str, Option<String>)> {
    let given = ROWS
        .iter()
        .filter(|row| options.is_set(row.name) && row.name != "config");
    given
        .map(|row| (row.name, options.value_of(row.name)))
        .collect()
}

/// Values as on the command line, and as a file may write them.
fn samples(row: &Row) -> Vec<(String, Vec<String>)> {
    let sample = |flag: &str, written: &[&str]| {
        let written = written.iter().map(|text| (*text).to_owned()).collect();
        (flag.to_owned(), written)
    };
    match row.kind {
        Kind::Bool => vec![sample("true", &["true"]), sample("false", &["false"])],
        Kind::Uint => vec![
            sample("0", &["0", "'0'"]),
            sample(
                "12000",
                &["12000", "12_000", "0x2ee0", "+12000", "'12k'", "\"12000\""],
            ),
        ],
        Kind::Sint => vec![
            sample("-7", &["-7", "'-7'"]),
            sample("2k", &["2000", "'2k'"]),
        ],
        Kind::Uintl => vec![
            sample("8080", &["8080", "[8080]", "'8080'", "['8080']"]),
            sample(
                "8080,8443",
                &["[8080, 8443]", "'8080,8443'", "[\n8080, # a\n8443,\n]"],
            ),
            sample("", &["[]", "''"]),
        ],
        Kind::Str | Kind::Cstr => vec![
            sample("/some text", &["'/some text'", "\"/some\\u0020text\""]),
            sample("", &["''"]),
        ],
        Kind::Strl => vec![
            sample("/a,/b", &["['/a', '/b']", "'/a,/b'"]),
            sample("/a", &["'/a'", "['/a']"]),
            sample("", &["[]", "''"]),
        ],
        Kind::Repeated => vec![sample(
            "/a.wasm?x=1,2&y=%26",
            &[
                "'/a.wasm?x=1,2&y=%26'",
                "['/a.wasm?x=1,2&y=%26']",
                "{ file = '/a.wasm', config = { x = '1,2', y = '&' } }",
                "[{ file = '/a.wasm', config.x = '1,2', config.y = '&' }]",
            ],
        )],
        Kind::Enum => row
            .choices
            .iter()
            .map(|choice| (choice.name.to_owned(), vec![format!("'{}'", choice.name)]))
            .collect(),
    }
}

#[test]
fn every_option_of_a_file_is_that_of_a_flag() {
    // `dst` makes an output of either; a file names no other file.
    let rows = ROWS
        .iter()
        .filter(|row| !["dst", "config"].contains(&row.name));
    for row in rows {
        for (flag, written) in samples(row) {
            let expected = line(&[&format!("--{}={flag}", row.name)]).servers.remove(0);
            assert!(expected.is_set(row.name));
            for value in written {
                let text = format!("{} = {value}", row.name);
                assert_eq!(values(&server(&text)), values(&expected), "{text}");
                assert_eq!(
                    server(&text).place_of(row.name),
                    Some(Place::Line(1)),
                    "{text}"
                );
                let table = format!("[[server]]\n{text}");
                assert_eq!(values(&server(&table)), values(&expected), "{table}");
            }
        }
    }
}

#[test]
fn all_options_at_once_are_those_of_their_flags() {
    let rows = ROWS
        .iter()
        .filter(|row| !["dst", "config"].contains(&row.name));
    let (mut words, mut text) = (Vec::new(), String::new());
    for row in rows {
        let (flag, written) = samples(row).remove(0);
        words.push(format!("--{}={flag}", row.name));
        text += &format!("{} = {}\n", row.name, written[0]);
    }
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    assert_eq!(values(&server(&text)), values(&line(&words).servers[0]));
}

#[test]
fn fields_can_be_a_table_in_its_order() {
    let options = server("hdrs = { X-B = 'a, b', A = '2' }");
    assert_eq!(options.hdrs, ["X-B", "a, b", "A", "2"]);
    assert_eq!(
        server("[hdrs]\nB = '1'\nA = '2'").hdrs,
        ["B", "1", "A", "2"]
    );
}

#[test]
fn the_items_of_a_list_may_hold_commas() {
    assert_eq!(server("rdirs = ['/a,b', '/c']").rdirs, ["/a,b", "/c"]);
}

#[test]
fn the_command_line_goes_before_the_file() {
    let text = "port = [1, 2]\nmaxc = 5\ncte = false\nrdirs = ['/a', '/b']\nwdir = '/in'";
    let options = servers(&["--port=3", "--cte", "--wdir=", "/c"], text).remove(0);
    assert_eq!(options.port, [3]);
    assert!(options.cte);
    assert_eq!(options.rdirs, ["/c"]);
    assert_eq!(options.wdir, None);
    assert_eq!(options.maxc, 5);
    assert_eq!(options.place_of("port"), Some(Place::CommandLine));
    assert_eq!(options.place_of("maxc"), Some(Place::Line(2)));
    assert_eq!(options.place_of("maxp"), None);
}

#[test]
fn a_table_server_goes_before_the_top_and_flags_before_both() {
    let text =
        "maxc = 1\nmaxp = 2\n[[server]]\nport = 1\nmaxp = 3\n[[server]]\nport = 2\ndlist = true";
    let all = servers(&["--config=x", "--maxc=9"], text);
    assert_eq!(all.len(), 2);
    let facts = all
        .iter()
        .map(|one| (one.port[0], one.maxc, one.maxp, one.dlist));
    assert_eq!(
        facts.collect::<Vec<_>>(),
        [(1, 9, 3, false), (2, 9, 2, true)]
    );
}

#[test]
fn filters_of_the_command_line_are_the_servers() {
    let text = "maxc = 1\n[[server]]\nport = 1\n[[server]]\nport = 2";
    let all = servers(
        &["httpout:port=3", "httpout:port=4:maxc=7", "--maxp=8"],
        text,
    );
    let facts = all.iter().map(|one| (one.port[0], one.maxc, one.maxp));
    assert_eq!(facts.collect::<Vec<_>>(), [(3, 1, 8), (4, 7, 8)]);
}

#[test]
fn plugins_of_a_server_replace_those_of_the_top() {
    let text = "plugin = '/a.wasm'\n[[server]]\nport = 1\n[[server]]\nport = 2\n\
                [[server.plugin]]\nfile = '/b.wasm'\n[[server.plugin]]\nfile = '/c.wasm'";
    let files = |options: &Options| -> Vec<String> {
        options
            .plugin
            .iter()
            .map(|plugin| plugin.file.clone())
            .collect()
    };
    let all = servers(&["--config=x"], text);
    assert_eq!(files(&all[0]), ["/a.wasm"]);
    assert_eq!(files(&all[1]), ["/b.wasm", "/c.wasm"]);
    let all = servers(&["--plugin=/d.wasm"], text);
    assert_eq!(files(&all[0]), ["/a.wasm", "/d.wasm"]);
    assert_eq!(files(&all[1]), ["/b.wasm", "/c.wasm", "/d.wasm"]);
}

#[test]
fn every_option_of_plugins_is_a_key_of_their_tables() {
    let shared = [
        "plugin_instances",
        "plugin_wait",
        "plugin_stack",
        "plugin_cache",
        "plugin_state",
    ];
    for row in ROWS {
        let Some(key) = row.name.strip_prefix("plugin_") else {
            continue;
        };
        let (flag, written) = samples(row).remove(0);
        let text = format!("[[plugin]]\nfile = 'a.wasm'\n{key} = {}", written[0]);
        if shared.contains(&row.name) {
            assert!(error(&text).contains("unknown key"), "{text}");
            continue;
        }
        let options = server(&text);
        let expected = line(&[&format!("--{}={flag}", row.name)]).servers.remove(0);
        assert_eq!(
            values(&options.plugin[0].options),
            values(&expected),
            "{text}"
        );
        assert!(!options.is_set(row.name));
    }
}

#[test]
fn relative_paths_are_below_the_directory_of_the_file() {
    let text = "rdirs = ['a', '/b', './c', 'gmem']\nwdir = 'in'\ncert = 'c.pem'\npkey = '/k.pem'\n\
                js = 'x.js'\nusers = 'u'\nplugin_dirs = ['d:rw']\nplugin_cache = 'none'\n\
                metrics = '/m'\nhdrs = ['a', 'b']\n\
                filter = ['httpout:rdirs=f:port=1']\ninput = ['a.mp3', '-', 'http://h/x']\n\
                [[server]]\nrdirs = ['s']\n\
                [[server.plugin]]\nfile = 'p.wasm'\ndirs = ['q', '/r:rw']\nconfig = { file = 'x' }";
    let file = ConfigFile::parse("conf/sub/httpout.toml", text).expect("is well formed");
    let line = line(&["--config=x", "--js=line.js"]).over(file);
    let [filter, table] = line.servers.as_slice() else {
        panic!("two servers");
    };
    assert_eq!(filter.rdirs, ["conf/sub/f"]);
    assert_eq!(table.rdirs, ["conf/sub/s"]);
    assert_eq!(table.wdir.as_deref(), Some("conf/sub/in"));
    assert_eq!(table.cert.as_deref(), Some("conf/sub/c.pem"));
    assert_eq!(table.pkey.as_deref(), Some("/k.pem"));
    assert_eq!(table.js.as_deref(), Some("line.js"));
    assert_eq!(table.users.as_deref(), Some("conf/sub/u"));
    // What a plugin calls a directory is what was written.
    assert_eq!(table.plugin_dirs, ["d:rw"]);
    assert_eq!(table.plugin_cache.as_deref(), Some("none"));
    assert_eq!(table.metrics.as_deref(), Some("/m"));
    assert_eq!(table.hdrs, ["a", "b"]);
    let plugin = &table.plugin[0];
    assert_eq!(plugin.file, "conf/sub/p.wasm");
    assert_eq!(plugin.options.plugin_dirs, ["q", "/r:rw"]);
    assert_eq!(plugin.config, [("file".to_owned(), "x".to_owned())]);
    let urls = line.inputs.iter().map(|input| input.url.as_str());
    assert_eq!(
        urls.collect::<Vec<_>>(),
        ["conf/sub/a.mp3", "-", "http://h/x"]
    );
    let top = ConfigFile::parse("conf/httpout.toml", "rdirs = ['a', '/b', 'gmem']");
    let options = self::line(&["--config=x"]).over(top.expect("is well formed"));
    assert_eq!(options.servers[0].rdirs, ["conf/a", "/b", "gmem"]);
}

#[test]
fn inputs_outputs_and_filters_are_written_as_on_the_command_line() {
    let words = [
        "-i",
        "a.mp3:#ice-Genre=CoolRock",
        "reframer:rt=on",
        "vout",
        "-o",
        "http://localhost:8080/live.mpd:rdirs=/temp",
        "--dmode=dynamic",
        "--cdur=0.1",
        "--segdur=2",
        "--sigfrag=true",
    ];
    let text = "input = 'a.mp3:#ice-Genre=CoolRock'\nfilter = ['reframer:rt=on', 'vout']\n\
                output = ['http://localhost:8080/live.mpd:rdirs=/temp']\n\
                dmode = 'dynamic'\ncdur = 0.1\nsegdur = 2\nsigfrag = true";
    let (expected, found) = (line(&words), line(&["--config=x"]).over(file(text)));
    assert_eq!(found.filters, expected.filters);
    assert_eq!(found.media, expected.media);
    for (found, expected) in [
        (&found.inputs[0], &expected.inputs[0]),
        (&found.outputs[0], &expected.outputs[0]),
    ] {
        assert_eq!(found.url, expected.url);
        assert_eq!(found.properties, expected.properties);
        assert_eq!(values(&found.options), values(&expected.options));
    }
    let dst = line(&["--config=x"]).over(file("[[server]]\ndst = 'http://h/x'\nport = 1"));
    assert_eq!(dst.outputs[0].url, "http://h/x");
    assert_eq!(dst.outputs[0].options.port, [1]);
    let replaced = line(&["-i", "b.mp3", "--dmode=static"]).over(file(text));
    assert_eq!(replaced.inputs[0].url, "b.mp3");
    assert_eq!(replaced.media[0].1.as_deref(), Some("static"));
    assert_eq!(
        replaced.media.len(),
        MEDIA_OPTIONS
            .iter()
            .filter(|option| text.contains(option.name))
            .count()
    );
}

#[test]
fn what_is_wrong_is_one_line_with_its_place() {
    for (text, expected) in [
        ("prot = 1", "1: unknown key `prot`: did you mean `port`?"),
        (
            "\nmax-cache-segs = 1",
            "2: unknown key `max-cache-segs`: did you mean `max_cache_segs`?",
        ),
        (
            "gateway = 1",
            "1: unknown key `gateway`: `httpout --help` lists the options",
        ),
        (
            "sever = 1",
            "1: unknown key `sever`: did you mean `server`?",
        ),
        (
            "config = 'x'",
            "1: unknown key `config`: a configuration file cannot name another one",
        ),
        (
            "\"a\\nb\" = 1",
            "1: unknown key `a\\nb`: `httpout --help` lists the options",
        ),
        (
            "dlist = 'yes'",
            "1: key `dlist`: a string is no boolean, write `dlist = true`",
        ),
        (
            "cte = 1",
            "1: key `cte`: an integer is no boolean, write `cte = false`",
        ),
        (
            "port = true",
            "1: key `port`: a boolean is no list of integers, write `port = [8080, 8443]`",
        ),
        (
            "port = [\n80,\n'x']",
            "3: option `port`: `x` is not an unsigned integer (0 to 65535)",
        ),
        (
            "port = [\n80,\n70000]",
            "3: option `port`: `70000` is not an unsigned integer (0 to 65535)",
        ),
        (
            "maxc = -1",
            "1: option `maxc`: `-1` is not an unsigned integer (such as `30`, `64k` or `50M`)",
        ),
        (
            "maxc = 1.5",
            "1: key `maxc`: a number with a point is no integer, write `maxc = 100`",
        ),
        (
            "maxs = 1979-05-27",
            "1: key `maxs`: a date is no integer, write `maxs = \"50M\"`",
        ),
        (
            "maxs = '5X'",
            "1: option `maxs`: `5X` is not an unsigned integer (such as `30`, `64k` or `50M`)",
        ),
        (
            "cors = 'maybe'",
            "1: option `cors`: `maybe` is none of `off`, `on`, `auto`",
        ),
        (
            "cors = 1",
            "1: key `cors`: an integer is no string, write `cors = \"off\"`",
        ),
        (
            "wdir = ['a']",
            "1: key `wdir`: a list is no string, write `wdir = \"DIR\"`",
        ),
        (
            "rdirs = [\n'a',\n5]",
            "3: key `rdirs`: an integer is no list of strings, write `rdirs = [\"DIR\"]`",
        ),
        (
            "rdirs = {}",
            "1: key `rdirs`: a table is no list of strings, write `rdirs = [\"DIR\"]`",
        ),
        (
            "hdrs = { A = 1 }",
            "1: key `hdrs`: an integer is no list of strings, write `hdrs = { Name = \"Value\" }`",
        ),
        (
            "dmode = true",
            "1: key `dmode`: a boolean does not do, write `dmode = \"TEXT\"`",
        ),
        (
            "sigfrag = 'x'",
            "1: key `sigfrag`: a string does not do, write `sigfrag = true`",
        ),
        (
            "filter = 'foo:bar'",
            "1: unknown filter `foo`: the filters are `httpout`, `reframer`, `dashin`, `vout` and `aout`; a directory of such a name is `./foo:bar`",
        ),
        (
            "input = 5",
            "1: key `input`: an integer is no string, write `input = [\"TEXT\"]`",
        ),
        (
            "server = 1",
            "1: key `server`: an integer is no table, write `[[server]]`",
        ),
        (
            "[[server]]\nprt = 1",
            "2: unknown key `prt`: did you mean `port`?",
        ),
        (
            "[[server]]\ninput = 'x'",
            "2: key `input` is not about one server: write it above the first table",
        ),
        (
            "plugin = 5",
            "1: key `plugin`: an integer is no table, write `plugin = { file = \"FILE.wasm\" }`",
        ),
        (
            "plugin = [\n5]",
            "2: key `plugin`: an integer is no plugin, write `[[plugin]]`",
        ),
        (
            "maxc = 1\n[[plugin]]\nname = 'x'",
            "2: key `plugin`: a file is missing, write `file = \"FILE.wasm\"`",
        ),
        (
            "[[plugin]]\nfile = ''",
            "2: key `file`: an empty string does not do, write `file = \"TEXT\"`",
        ),
        (
            "[[plugin]]\nfile = 'x'\nport = 80",
            "3: unknown key `port` of a plugin: it is about the server, write it above the first table",
        ),
        (
            "[[plugin]]\nfile = 'x'\nmemry = 80",
            "3: unknown key `memry` of a plugin: did you mean `memory`?",
        ),
        (
            "[[plugin]]\nplugin_memory = 80",
            "2: unknown key `plugin_memory` of a plugin: did you mean `memory`?",
        ),
        (
            "[[plugin]]\nplugin_cache = 'x'",
            "2: unknown key `plugin_cache` of a plugin: it is about the server, write it above the first table",
        ),
        (
            "[[plugin]]\nmemory = '1Q'",
            "2: option `plugin_memory`: `1Q` is not an unsigned integer (such as `30`, `64k` or `50M`)",
        ),
        (
            "[[plugin]]\nmemory = true",
            "2: key `memory`: a boolean is no integer, write `memory = \"64M\"`",
        ),
        (
            "[[plugin]]\npaths = []",
            "2: key `paths`: the list is empty, leave it out for all",
        ),
        (
            "[[plugin]]\nmethods = ['GET',\n5]",
            "3: key `methods`: an integer is no string, write `methods = [\"TEXT\"]`",
        ),
        (
            "[[plugin]]\nconfig = 'x'",
            "2: key `config`: a string is no table, write `config = { name = \"value\" }`",
        ),
        (
            "[[plugin]]\nfile = 'x'\n[plugin.config]\na = { b = 1 }",
            "4: key `a` of `config`: a table is no text, which is what plugins are given",
        ),
        ("port = 80\nport = 81", "2: duplicate key"),
        (
            "port = ",
            "1: string values must be quoted, expected literal string",
        ),
    ] {
        assert_eq!(error(text), format!("httpout.toml:{expected}"), "{text}");
    }
    let unknown = error("[[plugin]]\ngateway = 1");
    assert!(
        unknown.contains("the keys are `file`, `name`, `paths`"),
        "{unknown}"
    );
    for text in ["[server\na = 1", "port", "a = 'x", "\u{feff}\0", "= 1"] {
        let said = error(text);
        assert!(
            said.starts_with("httpout.toml:1: ") && said.lines().count() == 1,
            "{said}"
        );
    }
}

#[test]
fn a_file_is_named_for_the_whole_line() {
    let words = ["httpout:config=x"];
    let error = parse(words.iter().map(Into::into)).expect_err("not for one server");
    assert_eq!(
        error.to_string(),
        "option `config` is about the whole line, write `--config=…`"
    );
}

#[test]
fn a_file_may_be_empty_and_begin_with_a_byte_order_mark() {
    assert_eq!(values(&server("")), []);
    assert_eq!(server("\u{feff}port = 1").port, [1]);
}
