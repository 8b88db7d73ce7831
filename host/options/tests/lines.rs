//! Command lines: those of the documents, and those that mean nothing.

use std::ffi::OsString;

use httpout_options::{
    CommandLine, Cors, Endpoint, FilterName, HelpLevel, Hmode, Invocation, UsageError, parse,
};

fn parse_line(line: &str) -> Result<Invocation, UsageError> {
    parse(line.split(' ').skip(1).map(OsString::from))
}

fn run(line: &str) -> CommandLine {
    match parse_line(line) {
        Ok(Invocation::Run(line)) => line,
        other => panic!("{line}: {other:?}"),
    }
}

fn error(line: &str) -> String {
    parse_line(line).expect_err(line).to_string()
}

fn urls(endpoints: &[Endpoint]) -> Vec<&str> {
    endpoints
        .iter()
        .map(|endpoint| endpoint.url.as_str())
        .collect()
}

fn pair(name: &str, value: &str) -> (String, Option<String>) {
    (name.to_owned(), Some(value.to_owned()))
}

#[test]
fn simple_servers() {
    let line = run("httpout httpout:rdirs=outcoming");
    assert_eq!(line.servers.len(), 1);
    assert_eq!(line.servers[0].rdirs, ["outcoming"]);
    assert!(!line.servers[0].is_set("port"));

    let line = run("httpout httpout:wdir=incoming");
    assert_eq!(line.servers[0].wdir.as_deref(), Some("incoming"));

    let line = run("httpout httpout:rdirs=outcoming:wdir=incoming:port=8080");
    assert_eq!(line.servers[0].rdirs, ["outcoming"]);
    assert_eq!(line.servers[0].wdir.as_deref(), Some("incoming"));
    assert_eq!(line.servers[0].port, [8080]);
    assert!(line.inputs.is_empty() && line.outputs.is_empty() && line.filters.is_empty());
}

#[test]
fn sink() {
    let line = run("httpout -i MP3_SOURCE -o http://localhost/live.mp3 --hold");
    assert_eq!(urls(&line.inputs), ["MP3_SOURCE"]);
    assert_eq!(urls(&line.outputs), ["http://localhost/live.mp3"]);
    assert!(line.outputs[0].options.hold && line.servers[0].hold);
    assert_eq!(
        line.outputs[0].options.dst.as_deref(),
        Some("http://localhost/live.mp3")
    );
    assert_eq!(line.servers[0].dst, None);

    let line = run("httpout -i MP3_SOURCE reframer:rt=on -o http://localhost/live.mp3");
    assert_eq!(line.filters.len(), 1);
    assert_eq!(line.filters[0].name, FilterName::Reframer);
    assert_eq!(line.filters[0].arguments, [pair("rt", "on")]);

    let line = run("httpout -i source.mp3:#ice-Genre=CoolRock -o http://IP/live.mp3 --ice");
    assert_eq!(urls(&line.inputs), ["source.mp3"]);
    assert_eq!(
        line.inputs[0].properties,
        [("ice-Genre".to_owned(), "CoolRock".to_owned())]
    );
    assert!(line.outputs[0].options.ice);
}

#[test]
fn file_sink() {
    let line = run(
        "httpout -i SOURCE reframer:rt=on -o http://localhost:8080/live.mpd --rdirs=temp --dmode=dynamic --cdur=0.1",
    );
    assert_eq!(urls(&line.outputs), ["http://localhost:8080/live.mpd"]);
    assert_eq!(line.outputs[0].options.rdirs, ["temp"]);
    assert_eq!(line.media, [pair("dmode", "dynamic"), pair("cdur", "0.1")]);

    let line = run("httpout -i SOURCE -o http://localhost:8080/live.mpd:rdirs=gmem:dmode=dynamic");
    assert_eq!(line.outputs[0].options.rdirs, ["gmem"]);
    assert_eq!(line.outputs[0].arguments, [pair("dmode", "dynamic")]);
    assert!(line.servers[0].rdirs.is_empty());
}

#[test]
fn client_sink() {
    let line = run("httpout -i SOURCE -o http://targethost:8080/live.mpd:gpac:hmode=push");
    assert_eq!(urls(&line.outputs), ["http://targethost:8080/live.mpd"]);
    assert_eq!(line.outputs[0].options.hmode, Hmode::Push);
    assert!(line.outputs[0].arguments.is_empty());
}

#[test]
fn source() {
    let line = run("httpout httpout:hmode=source vout aout");
    assert_eq!(line.servers[0].hmode, Hmode::Source);
    let names: Vec<_> = line.filters.iter().map(|filter| filter.name).collect();
    assert_eq!(names, [FilterName::Vout, FilterName::Aout]);
}

#[test]
fn two_destinations_on_one_server() {
    let line = run(
        "httpout -i dash.mpd dashin:forward=file:FID=D1 dashin:forward=segb:FID=D2 \
         -o http://localhost:80/live.mpd:SID=D1:rdirs=dash -o http://localhost:80/live_rw.mpd:SID=D2:sigfrag",
    );
    assert_eq!(line.filters[0].name, FilterName::Dashin);
    assert_eq!(
        line.filters[0].arguments,
        [pair("forward", "file"), pair("FID", "D1")]
    );
    assert_eq!(
        line.filters[1].arguments,
        [pair("forward", "segb"), pair("FID", "D2")]
    );
    assert_eq!(
        urls(&line.outputs),
        [
            "http://localhost:80/live.mpd",
            "http://localhost:80/live_rw.mpd"
        ]
    );
    assert_eq!(line.outputs[0].arguments, [pair("SID", "D1")]);
    assert_eq!(line.outputs[0].options.rdirs, ["dash"]);
    assert_eq!(
        line.outputs[1].arguments,
        [pair("SID", "D2"), ("sigfrag".to_owned(), None)]
    );
    assert!(line.outputs[1].options.rdirs.is_empty());
    assert_eq!(line.servers.len(), 1);
}

#[test]
fn scripted() {
    let line = run("httpout httpout:port=8080:js=myserver.js");
    assert_eq!(line.servers[0].js.as_deref(), Some("myserver.js"));
}

#[test]
fn directories_are_short_for_rdirs() {
    let line = run("httpout outcoming ./httpout a,b --rdirs=first");
    assert_eq!(
        line.servers[0].rdirs,
        ["first", "outcoming", "./httpout", "a,b"]
    );
    assert!(line.servers[0].is_set("rdirs"));
    assert_eq!(
        run("httpout --hold -- --dir -i").servers[0].rdirs,
        ["--dir", "-i"]
    );
    assert_eq!(run("httpout ./a:b").servers[0].rdirs, ["./a:b"]);
}

#[test]
fn flags_apply_to_all_and_what_a_filter_says_goes_first() {
    let line = run("httpout httpout:port=80:rdirs=a httpout:port=443 --port=1 --rdirs=b --dlist");
    assert_eq!(line.servers[0].port, [80]);
    assert_eq!(line.servers[0].rdirs, ["a"]);
    assert_eq!(line.servers[1].port, [443]);
    assert_eq!(line.servers[1].rdirs, ["b"]);
    assert!(line.servers.iter().all(|options| options.dlist));
}

#[test]
fn a_port_of_zero_is_known_to_be_given() {
    let line = run("httpout httpout:port=0 httpout");
    assert!(line.servers[0].is_set("port"));
    assert!(!line.servers[1].is_set("port"));
    assert_eq!(line.servers[0].port, line.servers[1].port);
}

#[test]
fn a_boolean_flag_takes_no_word() {
    let line = run("httpout --hold false --dlist=false");
    assert!(line.servers[0].hold && !line.servers[0].dlist);
    assert_eq!(line.servers[0].rdirs, ["false"]);
}

#[test]
fn values_may_be_words_of_their_own() {
    let line = run("httpout --max-cache-segs -5 --dmode dynamic --sigfrag dir --cors off");
    assert_eq!(line.servers[0].max_cache_segs, -5);
    assert_eq!(line.servers[0].cors, Cors::Off);
    assert_eq!(
        line.media,
        [pair("dmode", "dynamic"), ("sigfrag".to_owned(), None)]
    );
    assert_eq!(line.servers[0].rdirs, ["dir"]);
}

#[test]
fn lists_grow_and_plugins_stay_whole() {
    let line =
        run("httpout --plugin a.wasm?x=1,2&y=http://h:1/ --plugin b.wasm --hdrs A,1 --hdrs B,2");
    let plugins = |line: &CommandLine| -> Vec<String> {
        let plugins = line.servers[0].plugin.iter();
        plugins.map(ToString::to_string).collect()
    };
    assert_eq!(plugins(&line), ["a.wasm?x=1,2&y=http://h:1/", "b.wasm"]);
    assert_eq!(line.servers[0].hdrs, ["A", "1", "B", "2"]);
    let line = run("httpout --plugin a.wasm httpout:plugin=b.wasm:plugin=c.wasm");
    assert_eq!(plugins(&line), ["b.wasm", "c.wasm"]);
}

#[test]
fn an_empty_value_undoes_a_flag() {
    let line = run("httpout --wdir=incoming --rdirs=a httpout:wdir=:rdirs=");
    assert_eq!(line.servers[0].wdir, None);
    assert!(line.servers[0].rdirs.is_empty());
    assert!(line.servers[0].is_set("wdir"));
}

#[test]
fn the_ways_to_write_a_destination_are_the_same() {
    let expected = run("httpout -i - -o http://localhost:80/x:rdirs=a").outputs;
    for line in [
        "httpout src=- dst=http://localhost:80/x:rdirs=a",
        "httpout -src - -dst http://localhost:80/x:rdirs=a",
        "httpout -i - --dst=http://localhost:80/x:rdirs=a",
        "httpout -i - httpout:dst=http://localhost:80/x:rdirs=a",
    ] {
        let line = run(line);
        assert_eq!(line.outputs, expected);
        assert_eq!(urls(&line.inputs), ["-"]);
        assert_eq!(line.servers.len(), 1);
    }
    assert_eq!(urls(&run("httpout -i a -o -").outputs), ["-"]);
}

#[test]
fn words_that_ask_for_text() {
    assert_eq!(
        parse_line("httpout -h"),
        Ok(Invocation::Help(HelpLevel::Common))
    );
    assert_eq!(
        parse_line("httpout dir --help"),
        Ok(Invocation::Help(HelpLevel::All))
    );
    assert_eq!(parse_line("httpout -V"), Ok(Invocation::Version));
    assert_eq!(parse_line("httpout --version"), Ok(Invocation::Version));
    for name in ["max_cache_segs", "max-cache-segs", "--max-cache-segs"] {
        match parse_line(&format!("httpout explain {name}")) {
            Ok(Invocation::Explain(row)) => assert_eq!(row.name, "max_cache_segs"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn errors_name_the_option_the_value_and_what_would_do() {
    for (line, message) in [
        (
            "httpout --port=x",
            "option `port`: `x` is not an unsigned integer (0 to 65535)",
        ),
        (
            "httpout httpout:port=70000",
            "option `port`: `70000` is not an unsigned integer (0 to 65535)",
        ),
        (
            "httpout --prot=80",
            "unknown option `prot`: did you mean `port`?",
        ),
        (
            "httpout httpout:prot=80",
            "unknown option `prot`: did you mean `port`?",
        ),
        (
            "httpout explain prot",
            "unknown option `prot`: did you mean `port`?",
        ),
        (
            "httpout --gateway",
            "unknown option `gateway`: `httpout --help` lists all",
        ),
        (
            "httpout -users=x",
            "unknown option `-users`: did you mean `--users`?",
        ),
        (
            "httpout -i a -o b:timeout=x",
            "option `timeout`: `x` is not an unsigned integer (such as `30`, `64k` or `50M`)",
        ),
        (
            "httpout --maxs=99999999999G",
            "option `maxs`: `99999999999G` is too large (0 to 18446744073709551615)",
        ),
        (
            "httpout --max_cache_segs=x",
            "option `max_cache_segs`: `x` is not an integer (such as `5`, `-5` or `2k`)",
        ),
        (
            "httpout --hold=maybe",
            "option `hold`: `maybe` is not a boolean (`true` or `false`)",
        ),
        (
            "httpout --cors=all",
            "option `cors`: `all` is none of `off`, `on`, `auto`",
        ),
        (
            "httpout --wdir --hold",
            "option `wdir`: a value is missing, write `--wdir=DIR`",
        ),
        (
            "httpout httpout:wdir",
            "option `wdir`: a value is missing, write `wdir=DIR`",
        ),
        (
            "httpout --cdur",
            "option `cdur`: a value is missing, write `--cdur=SECONDS`",
        ),
        (
            "httpout -i -o http://h/",
            "option `-i`: a value is missing, write `-i SOURCE`",
        ),
        (
            "httpout -o",
            "option `-o`: a value is missing, write `-o URL`",
        ),
        (
            "httpout http://localhost/",
            "`http://localhost/`: a URL stands after `-i` or `-o`",
        ),
        (
            "httpout httpout:8080",
            "`httpout:8080`: `8080` is not an argument, write `name=value`",
        ),
        (
            "httpout explain",
            "`explain` takes one option, such as `httpout explain port`",
        ),
    ] {
        assert_eq!(error(line), message);
    }
    assert!(
        error("httpout htpout:port=80")
            .starts_with("unknown filter `htpout`: the filters are `httpout`, ")
    );
    assert_eq!(parse([]), Err(UsageError::NoArguments));
}

#[test]
fn every_error_is_one_line() {
    for hostile in [
        "\n",
        "a\r\nb",
        "\u{1b}[31m",
        "\u{2028}",
        "\u{85}",
        "\u{202e}",
        "\0",
    ] {
        for word in [
            format!("--port={hostile}"),
            format!("--cors={hostile}"),
            format!("--{hostile}"),
            format!("-{hostile}"),
            format!("{hostile}:port=80"),
            format!("{hostile}://"),
            format!("httpout:{hostile}"),
            format!("httpout:port={hostile}"),
        ] {
            let message = parse([OsString::from(&word)]).expect_err(&word).to_string();
            assert!(!message.contains(|c: char| c.is_control()), "{message:?}");
            assert!(!message.contains(['\u{2028}', '\u{202e}']), "{message:?}");
        }
    }
    assert!(!UsageError::NoArguments.to_string().contains('\n'));
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_not_unicode_is_an_error_of_one_line() {
    use std::os::unix::ffi::OsStringExt;
    let message = parse([OsString::from_vec(b"--wdir=\xff\n".to_vec())])
        .expect_err("not UTF-8")
        .to_string();
    assert_eq!(message, "argument `--wdir=\u{fffd}\\n` is not valid UTF-8");
}
