//! What the documents say of scripts (howto-js-server, and how GPAC's own scripts behave), sentence by sentence, as far as
//! `js.rs` does not show it.

use crate::support::{Client, Server, Tree};

const SAMPLE_2: &str = include_str!("../data/js/sample2.js");

/// Logs each call of the server, in a request and after it.
const CALLS: &str = "
    httpout.on_request = (request) => {
        print('called on_request ' + request.method);
        request.mine = [request.method];
        request.headers_out.push({ name: 'x-own', value: 1 });
        request.throttle = (done, total) => { print(`called throttle ${done}/${total}`); return 1; };
        request.close = (code) => { print(`called close ${code} ${request.mine}`); };
        if (request.path === '/read') {
            let left = 2;
            request.reply = 200;
            request.read = (buffer) => {
                print(`called read ${buffer instanceof ArrayBuffer} ${buffer.byteLength}`);
                new Uint8Array(buffer).fill(97, 0, 3);
                return left-- > 0 ? 3 : 0;
            };
        } else if (request.path === '/write') {
            request.reply = 201;
            request.write = (buffer) => { print(`called write ${buffer && buffer.byteLength}`); return 'ignored'; };
        } else if (request.path === '/text') {
            request.reply = 200;
            request.body = 'text';
        } else if (request.path === '/nothing') {
            request.reply = 200;
        }
        request.send();
    };";

fn with_script(tree: &Tree, script: &str, more: &[&str]) -> Server {
    tree.write("my.js", script.as_bytes());
    let (www, js) = (tree.text("www"), tree.text("my.js"));
    Server::start([&*www, "--js", &js].iter().chain(more))
}

/// What the server has called, after a request that ended so.
fn calls(server: &Server, end: &str) -> Vec<String> {
    let log = server.wait_for_log(end);
    let called = log.lines().filter_map(|line| line.split_once("called "));
    let called = called.map(|(_, rest)| rest.split(" plugin=").next().unwrap_or_default());
    called.map(str::to_owned).collect()
}

#[test]
fn a_script_stands_in_the_options_of_the_filter_and_needs_no_directory() {
    let tree = Tree::new();
    tree.write(
        "my.js",
        b"httpout.on_request = (r) => { r.reply = 200; r.body = 'here'; r.send(); }",
    );
    let filter = format!("httpout:port=0:ifce=127.0.0.1:js={}", tree.text("my.js"));
    let server = Server::spawn(&mut crate::support::server::command([&*filter]));
    assert_eq!(Client::get(&server, "/").text(), "here");
}

#[test]
fn the_slips_of_the_second_sample_are_told_with_line_and_column() {
    let tree = Tree::new();
    tree.write("av1.mp4", b"media");
    let server = with_script(&tree, SAMPLE_2, &[]);
    let mut client = Client::connect(&server);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    client.read_all();
    for told in [
        "`request.read` is set twice: was `request.write` meant? (my.js:19:2)",
        "ReferenceError: ab is not defined in <anonymous> (my.js:20:29)",
        "closed with code script error",
    ] {
        server.wait_for_log(told);
    }
}

#[test]
fn calls_come_in_order_and_close_once() {
    let tree = Tree::new();
    let server = with_script(&tree, CALLS, &["--block_size=1024"]);
    assert_eq!(Client::get(&server, "/read").text(), "aaaaaa");
    let read = calls(&server, "called close 1");
    let read: Vec<&str> = read.iter().map(String::as_str).collect();
    assert_eq!(
        read,
        [
            "on_request GET",
            "read true 1024",
            "throttle 0/0",
            "read true 1024",
            "throttle 3/0",
            "read true 1024",
            "close 1 GET"
        ]
    );
}

#[test]
fn write_gets_the_body_and_null_at_its_end() {
    let tree = Tree::new();
    let server = with_script(&tree, CALLS, &[]);
    let put = Client::put(&server, "/write", "", b"12345");
    assert_eq!((put.status, put.field("x-own")), (201, Some("1")));
    let called = calls(&server, "called close 1");
    assert_eq!(
        called,
        ["on_request PUT", "write 5", "write null", "close 1 PUT"]
    );
}

#[test]
fn a_text_has_a_length_and_nothing_has_one_too() {
    let tree = Tree::new();
    let server = with_script(&tree, CALLS, &[]);
    let text = Client::get(&server, "/text");
    assert_eq!(
        (text.text(), text.field("content-length")),
        ("text", Some("4"))
    );
    let nothing = Client::get(&server, "/nothing");
    assert_eq!(
        (nothing.status, nothing.field("content-length")),
        (200, Some("0"))
    );
    let missing = Client::get(&server, "/missing");
    assert_eq!((missing.status, missing.field("x-own")), (404, Some("1")));
}

#[test]
fn a_script_is_asked_for_each_method_that_there_is() {
    let tree = Tree::new();
    let server = with_script(&tree, CALLS, &[]);
    for method in ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"] {
        let mut client = Client::connect(&server);
        client.send(&format!(
            "{method} /hello.txt HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n"
        ));
        assert_ne!(client.read_response(method).status, 501, "{method}");
        server.wait_for_log(&format!("called on_request {method}"));
    }
    let mut client = Client::connect(&server);
    client.send("PATCH /hello.txt HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.read_response("PATCH").status, 501);
    assert!(!server.log().contains("on_request PATCH"));
}

#[test]
fn the_objects_of_gpaccore_do_what_is_said_of_them() {
    const SCRIPT: &str = r"
        import { Bitstream, File, SHA1, Sys } from 'gpaccore';
        const text = (buffer) => new TextDecoder().decode(buffer);
        const bytes = (string) => new TextEncoder().encode(string).buffer;
        const CHECKS = {
            'all of Sys': () => 'clock_ms clock_us sleep get_utc get_ntp ntp_shift rand rand64 rand_init getenv error_string load_file file_exists dir_exists mkdir rmdir dir_clean del move mod_time basename file_ext enum_directory crc32 sha1 base64enc base64dec base16enc base16dec compress decompress url_cat htonl ntohl htons ntohs get_opt gc fcc_to_str'
                .split(' ').filter((name) => typeof Sys[name] !== 'function').join() === '',
            'all of File': () => 'read write seek gets getc puts putc flush close'.split(' ').filter((name) => typeof File.prototype[name] !== 'function').join() === '',
            'all of Bitstream': () => 'u8 s8 u16 u16_le s16 u24 u32 u32_le s32 u64 u64_le s64 bits float double data 4cc string'.split(' ')
                .filter((name) => typeof Bitstream.prototype[`get_${name}`] !== 'function' || typeof Bitstream.prototype[`put_${name}`] !== 'function').join() === ''
                && 'skip align is_align truncate peek flush get_content transfer insert_data'.split(' ').filter((name) => typeof Bitstream.prototype[name] !== 'function').join() === '',
            'clocks': () => { const start = Sys.clock_us(); Sys.sleep(5); return Sys.clock_us() - start >= 5000 && Math.abs(Sys.get_utc() - Date.now()) < 5000; },
            'times of NTP': () => { const it = Sys.get_ntp(); return Sys.ntp_shift({ n: it.n + 1, d: it.d }, it) === 1; },
            'random': () => { Sys.rand_init(true); const first = Sys.rand(); Sys.rand_init(true); return Sys.rand() === first && typeof Sys.rand64() === 'bigint'; },
            'a file is written, moved, read, deleted': () => {
                Sys.mkdir('in/d');
                const file = new File('in/d/a.txt', 'wb');
                if (file.write(bytes('one\ntwo'), 4) !== 4 || file.puts('end') !== 3 || file.putc('!') !== 1) return false;
                file.flush(); file.close();
                Sys.move('in/d/a.txt', 'in/d/b.txt');
                return Sys.load_file('in/d/b.txt', true) === 'one\nend!' && text(Sys.load_file('in/d/b.txt')) === 'one\nend!' && !Sys.file_exists('in/d/a.txt') && Sys.mod_time('in/d/b.txt') > 1.7e9;
            },
            'a place in a file': () => {
                const file = new File('in/d/b.txt', 'rb');
                const buffer = new ArrayBuffer(3);
                const seen = [file.size, file.gets(), file.pos, file.getc(), file.eof];
                file.seek(-4, 2); seen.push(file.read(buffer), text(buffer)); file.pos = 1; seen.push(file.read(buffer, 2), text(buffer.slice(0, 2)), file.eof);
                file.seek(0, 2); seen.push(file.read(buffer), file.eof, file.gets());
                return seen.join('|') === '8|one\n|4|e|false|3|end|2|ne|false|0|true|';
            },
            'a directory is no file': () => { try { new File('in/d'); } catch (error) { return error.message === '`in/d`: Is a directory'; } },
            'appending': () => { const file = new File('in/d/b.txt', 'ab'); file.puts('more'); file.close(); return Sys.load_file('in/d/b.txt', true) === 'one\nend!more'; },
            'updating': () => { const file = new File('in/d/b.txt', 'r+b'); file.puts('ONE'); file.seek(0); const line = file.gets(); file.close(); return line === 'ONE\n'; },
            'a directory': () => {
                const [entry] = Sys.enum_directory('in', 'dir');
                return entry.name === 'd' && entry.directory && entry.path.endsWith('in/d') && entry.hidden === false
                    && Sys.enum_directory('in/d', 'txt').length === 1 && Sys.enum_directory('in/d', 'mp4;ts').length === 0 && Sys.dir_exists('in/d');
            },
            'a directory is cleaned and removed': () => { Sys.dir_clean('in/d'); const left = Sys.enum_directory('in/d').length; Sys.rmdir('in/d'); return left === 0 && !Sys.dir_exists('in/d'); },
            'compression': () => text(Sys.decompress(Sys.compress(bytes('a'.repeat(1000))))) === 'a'.repeat(1000) && Sys.compress(bytes('a'.repeat(1000))).byteLength < 50,
            'codes': () => Sys.base64enc(bytes('ab')) === 'YWI=' && text(Sys.base64dec('YWI=')) === 'ab' && text(Sys.base16dec('6162')) === 'ab' && Sys.error_string(GF_EOS) === error_string(1),
            'a stream over a buffer': () => {
                const out = new Bitstream();
                out.put_s8(-1); out.put_s16(-2); out.put_u64_le(3); out.put_s64(-4); out.put_double(0.5); out.put_u16_le(0x1234);
                out.insert_data(bytes('in'), 1);
                const stream = new Bitstream(out.get_content());
                const seen = [stream.get_s8(), stream.get_u8(), stream.get_u8(), stream.get_s16(), stream.get_u64_le(), stream.get_s64(), stream.get_double(), stream.peek(8), stream.get_u16_le(), stream.available];
                stream.pos = 1; stream.skip(1); seen.push(stream.get_bits(4), stream.is_align(), stream.bits_available); stream.align(); seen.push(stream.pos, stream.size);
                return seen.join() === '-1,105,110,-2,3,-4,0.5,52,4660,0,6,false,228,3,31';
            },
            'a stream from another': () => { const to = new Bitstream(); to.transfer(new Bitstream(bytes('abc'))); const data = new ArrayBuffer(5); const from = new Bitstream(to.get_content()); return from.get_data(data) === 3 && text(data.slice(0, 3)) === 'abc'; },
            'a hash': () => { const hash = new SHA1(); hash.push(bytes('abc')); return hash.get().byteLength === 20 && Sys.sha1(bytes('abc')).byteLength === 20; },
            'constants': () => [GF_OK, GF_EOS, GF_BAD_PARAM, GF_IP_CONNECTION_CLOSED, GF_NOT_FOUND].join() === '0,1,-1,-43,-53',
        };
        httpout.on_request = (request) => {
            const wrong = Object.entries(CHECKS).map(([name, check]) => {
                try { return check() === true ? '' : `${name} does not hold\n`; } catch (error) { return `${name}: ${error}\n`; }
            });
            request.reply = 200;
            request.body = wrong.join('') + `${wrong.length} checks`;
            request.send();
        };";
    let tree = Tree::new();
    std::fs::create_dir(tree.path("in")).expect("is new");
    let uploads = tree.text("in");
    let server = with_script(&tree, SCRIPT, &["--wdir", &uploads]);
    assert_eq!(Client::get(&server, "/").text(), "19 checks");
}
