// Each line that a check gives names it; those that do not hold are answered.
import { Bitstream, SHA1, Sys } from 'gpaccore';
import * as os from 'os';
import * as std from 'std';
import { greet } from './lib/greet.js';

const awaited = await new Promise((resolve) => setTimeout(() => resolve(true), 2));
let iterated;
(async () => {
  for await (const value of (async function* () { yield 1; yield 2; })()) iterated = value;
})();

class Point {
  #x = 1;
  static #made = 2;
  static { this.made = Point.#made; }
  has(other) { return #x in other; }
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const thrown = (run) => { try { run(); } catch (error) { return error.name; } };

const CHECKS = {
  'top-level await': () => awaited,
  'async iteration': () => iterated === 2,
  'a file beside the script': () => greet('you') === 'hello you',
  'private fields': () => Point.made === 2 && new Point().has(new Point()),
  'regular expressions': () => 'a1'.match(/(?<=a)(?<d>\d)/).groups.d === '1' && /[\p{L}--[a-z]]/v.test('A'),
  'BigInt': () => 2n ** 64n === 18446744073709551616n,
  'ES2023 arrays': () => same([3, 1, 2].toSorted(), [1, 2, 3]) && [1, 2].with(0, 9)[0] === 9 && [1, 2, 3].findLast((x) => x < 3) === 2,
  'groupBy': () => same(Object.groupBy([1, 2], (x) => (x % 2 ? 'odd' : 'even')), { odd: [1], even: [2] }),
  'WeakRef': () => new WeakRef(Point).deref() === Point,
  'Date': () => new Date(Date.UTC(2024, 0, 1)).toISOString() === '2024-01-01T00:00:00.000Z' && Date.now() > 1.7e12,
  'TextEncoder': () => same([...new TextEncoder().encode('\u00e9\ud800')], [0xc3, 0xa9, 0xef, 0xbf, 0xbd]),
  'TextDecoder by pieces': () => {
    const decoder = new TextDecoder();
    const parts = [...new TextEncoder().encode('\ufeff\u20ac\u{1f30a}x')].map((byte) => decoder.decode(Uint8Array.of(byte), { stream: true }));
    return parts.join('') + decoder.decode() === '\u20ac\u{1f30a}x';
  },
  'TextDecoder, fatal': () => thrown(() => new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(0xff))) === 'TypeError',
  'URL': () => {
    const url = new URL('../c?x=1#h', 'http://u:p@example.com:81/a/b/');
    url.port = '82';
    url.searchParams.append('y', '\u00fc &');
    return url.href === 'http://u:p@example.com:82/a/c?x=1&y=%C3%BC+%26#h' && url.searchParams.get('y') === '\u00fc &' && thrown(() => new URL('x')) === 'TypeError';
  },
  'URLSearchParams': () => {
    const parameters = new URLSearchParams('?b=1&a=2&b=3');
    parameters.set('b', '4');
    parameters.sort();
    return parameters.toString() === 'a=2&b=4' && parameters.size === 2 && same([...parameters.keys()], ['a', 'b']);
  },
  'structuredClone': () => {
    const value = { date: new Date(5), map: new Map([[1, { x: 1n }]]), bytes: Uint8Array.of(1, 2), error: new TypeError('t'), list: [1, , 3] };
    value.self = value;
    const copy = structuredClone(value);
    return copy !== value && copy.self === copy && copy.date.getTime() === 5 && copy.map.get(1).x === 1n && copy.bytes[1] === 2
      && copy.error instanceof TypeError && !(1 in copy.list) && thrown(() => structuredClone(() => 1)) === 'DataCloneError';
  },
  'base 64': () => btoa('abc\xff') === 'YWJj/w==' && atob('YWJj/w') === 'abc\xff',
  'crypto': () => /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(crypto.randomUUID()),
  'microtasks and clocks': () => typeof queueMicrotask === 'function' && performance.now() >= 0,
  'constants': () => GF_EOS === 1 && GF_IP_CONNECTION_CLOSED === -43 && error_string(-43) === Sys.error_string(-43),
  'os and std': () => typeof os.setTimeout === 'function' && os.now() >= 0 && std.getenv('HOME') === undefined,
  'SHA1 by pieces': () => {
    const hash = new SHA1();
    hash.push(new TextEncoder().encode('a'));
    hash.push(new TextEncoder().encode('bc').buffer);
    return Sys.base16enc(hash.get()) === 'a9993e364706816aba3e25717850c26c9cd0d89d';
  },
  'Sys, sums': () => Sys.crc32('123456789') === 0xcbf43926 && Sys.base16enc(Sys.sha1('abc')) === 'a9993e364706816aba3e25717850c26c9cd0d89d',
  'Sys, codings': () => Sys.base64enc('abc') === 'YWJj' && Sys.base16enc(Sys.base64dec('YWJj')) === '616263'
    && Sys.base16enc(Sys.decompress(Sys.compress('hello hello'))) === Sys.base16enc('hello hello'),
  'Sys, names': () => Sys.basename('/a/b.mp4') === 'b.mp4' && Sys.file_ext('/a/b.mp4') === '.mp4' && Sys.url_cat('a/b/c.mpd', '../d.mp4') === 'a/d.mp4'
    && Sys.url_cat('http://h/a/b.mpd', 'c.mp4') === 'http://h/a/c.mp4',
  'Sys, numbers': () => Sys.htonl(1) === 0x1000000 && Sys.ntohs(0x102) === 0x201 && Sys.fcc_to_str(0x61766331) === 'avc1',
  'Sys, clocks': () => Sys.clock_us() >= 0 && Math.abs(Sys.get_utc() - Date.now()) < 1000 && Sys.get_ntp().n > 3.9e9,
  'Bitstream': () => {
    const out = new Bitstream();
    out.put_u8(255); out.put_u16(0x1234); out.put_u32_le(7); out.put_bits(5, 3); out.put_u24(0x654321); out.put_bits(1, 5);
    out.put_u64(2 ** 40); out.put_s32(-5); out.put_float(1.5); out.put_4cc('avc1'); out.put_string('n\u00e9'); out.put_data(Uint8Array.of(9).buffer);
    const content = out.get_content();
    const stream = new Bitstream(content);
    return content.byteLength === 36 && out.size === 0 && stream.get_u8() === 255 && stream.peek(16) === 0x1234 && stream.get_u16() === 0x1234
      && stream.get_u32_le() === 7 && stream.get_bits(3) === 5 && stream.get_u24() === 0x654321 && stream.get_bits(5) === 1 && stream.is_align()
      && stream.get_u64() === 2 ** 40 && stream.get_s32() === -5 && stream.get_float() === 1.5 && stream.get_4cc() === 'avc1'
      && stream.get_string() === 'n\u00e9' && stream.get_u8() === 9 && stream.available === 0 && thrown(() => stream.get_u8()) === 'RangeError';
  },
};

httpout.on_request = (request) => {
  const wrong = Object.entries(CHECKS).map(([name, check]) => {
    try {
      return check() === true ? '' : `${name} does not hold\n`;
    } catch (error) {
      return `${name}: ${error}\n`;
    }
  });
  request.reply = 200;
  request.body = wrong.join('') + `${wrong.length} checks`;
  request.send();
};
