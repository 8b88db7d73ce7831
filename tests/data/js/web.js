// The web's interfaces, as their standards have them: one check a line. The response names each that does not hold.

const thrown = (run) => { try { run(); } catch (error) { return error.name; } };
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const href = (url, base) => new URL(url, base).href;
const changed = (url, name, value) => { const it = new URL(url); it[name] = value; return it.href; };
const parameters = (text) => new URLSearchParams(text);
const decoded = (...bytes) => new TextDecoder().decode(Uint8Array.from(bytes));
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const order = [];

const CHECKS = {
  'URL: a default port is left out': () => href('http://a:80/') === 'http://a/' && href('https://a:443') === 'https://a/' && href('http://a:443/') === 'http://a:443/',
  'URL: scheme and host in lower case': () => href('HTTP://EXAMPLE.com/Path') === 'http://example.com/Path',
  'URL: dots': () => href('http://a/b/./c/../d/..') === 'http://a/b/' && href('http://a/../../x') === 'http://a/x',
  'URL: encoded dots are dots': () => href('http://a/b/%2e%2E/c') === 'http://a/c',
  'URL: backslashes are slashes': () => href('http:\\\\a\\b\\c') === 'http://a/b/c',
  'URL: other schemes keep them': () => href('foo:a\\b') === 'foo:a\\b',
  'URL: tabs and line breaks are removed': () => href('ht\ttp://a/\nb\r') === 'http://a/b',
  'URL: space around is removed': () => href('  http://a/ \u0000') === 'http://a/',
  'URL: too few and too many slashes': () => href('http:a') === 'http://a/' && href('http:////a/') === 'http://a/',
  'URL: relative': () => href('c', 'http://a/b/d?q#h') === 'http://a/b/c' && href('?x', 'http://a/b?q') === 'http://a/b?x' && href('#x', 'http://a/b?q') === 'http://a/b?q#x',
  'URL: empty is the base without fragment': () => href('', 'http://a/b?q#h') === 'http://a/b?q',
  'URL: another host': () => href('//b/c', 'https://a/') === 'https://b/c',
  'URL: the same scheme without slashes is relative': () => href('http:c', 'http://a/b/') === 'http://a/b/c',
  'URL: international hosts': () => href('http://bücher.de/ü') === 'http://xn--bcher-kva.de/%C3%BC',
  'URL: full-width characters': () => href('http://ＧＯ.com/') === 'http://go.com/',
  'URL: IPv4 in other forms': () => ['http://0x7f.1/', 'http://2130706433/', 'http://0177.0.0.1/', 'http://127.0.0.1./'].every((url) => href(url) === 'http://127.0.0.1/'),
  'URL: IPv4 that cannot be': () => ['http://256.0.0.1/', 'http://1.2.3.4.5/', 'http://0x100000000/'].every((url) => !URL.canParse(url)),
  'URL: IPv6 is shortened': () => href('http://[0:0:0:0:0:0:0:1]:80/') === 'http://[::1]/' && new URL('http://[::ffff:1.2.3.4]').hostname === '[::ffff:102:304]',
  'URL: hosts that cannot be': () => ['http://a b/', 'http://a<b/', 'http://a^b/', 'http://%zz/', 'http://[::1/', 'http://', 'https:///'].every((url) => !URL.canParse(url)),
  'URL: hosts are decoded': () => href('http://%65xample.com/') === 'http://example.com/',
  'URL: ports': () => !URL.canParse('http://a:65536/') && href('http://a:0080/') === 'http://a/' && href('http://a:/') === 'http://a/' && !URL.canParse('http://a:1x/'),
  'URL: user and password': () => { const url = new URL('http://u%20x:p:q@a/'); return url.username === 'u%20x' && url.password === 'p%3Aq' && href('http://a@b@c/') === 'http://a%40b@c/'; },
  'URL: what is encoded in a path': () => href('http://a/ "<>`{}^|%') === 'http://a/%20%22%3C%3E%60%7B%7D^|%' || href('http://a/ "<>`{}^|%') === 'http://a/%20%22%3C%3E%60%7B%7D%5E|%',
  'URL: what is encoded in a query': () => new URL('http://a/?a b"<>\'').search === '?a%20b%22%3C%3E%27',
  'URL: what is encoded in a fragment': () => new URL('http://a/#a b`').hash === '#a%20b%60',
  'URL: an empty query and fragment': () => { const url = new URL('http://a/?#'); return url.href === 'http://a/?#' && url.search === '' && url.hash === ''; },
  'URL: lone surrogates': () => href('http://a/\ud800') === 'http://a/%EF%BF%BD',
  'URL: origins': () => new URL('http://a:81/x').origin === 'http://a:81' && new URL('data:x').origin === 'null' && new URL('blob:http://a/x').origin === 'http://a',
  'URL: without authority': () => { const url = new URL('mailto:x@y'); return url.pathname === 'x@y' && url.host === ''; },
  'URL: files': () => href('file:///a/../b') === 'file:///b' && href('file://localhost/x') === 'file:///x' && href('file:c:\\x') === 'file:///c:/x',
  'URL: a scheme can be set, not to another kind': () => changed('http://a/', 'protocol', 'https') === 'https://a/' && changed('http://a/', 'protocol', 'foo') === 'http://a/',
  'URL: a host with its port': () => changed('http://a/', 'host', 'b:81') === 'http://b:81/' && changed('http://a:1/', 'hostname', 'b:81') === 'http://a:1/',
  'URL: what cannot be set stays': () => changed('http://a/', 'host', 'b c') === 'http://a/' && changed('http://a/', 'port', 'x') === 'http://a/' && changed('mailto:x', 'host', 'a') === 'mailto:x',
  'URL: a port is removed': () => changed('http://a:81/', 'port', '') === 'http://a/' && changed('http://a/', 'port', '82abc') === 'http://a:82/',
  'URL: a path is set': () => changed('http://a/b?q', 'pathname', 'c d/../?#') === 'http://a/%3F%23?q',
  'URL: a query is set': () => changed('http://a/', 'search', 'x y') === 'http://a/?x%20y' && changed('http://a/?x', 'search', '') === 'http://a/',
  'URL: a fragment is set': () => changed('http://a/', 'hash', '#x') === 'http://a/#x' && changed('http://a/#x', 'hash', '') === 'http://a/',
  'URL: href refuses what is none': () => thrown(() => changed('http://a/', 'href', 'x')) === 'TypeError',
  'URL: it is a class': () => thrown(() => URL('http://a')) === 'TypeError' && thrown(() => new URL()) === 'TypeError' && URL.parse('x') === null && `${new URL('http://a')}` === 'http://a/' && JSON.stringify([new URL('http://a')]) === '["http://a/"]',
  'URL: its query can be changed': () => { const url = new URL('http://a/?x=1#h'); url.searchParams.append('y', ' '); url.searchParams.delete('x'); return url.href === 'http://a/?y=+#h' && url.searchParams === url.searchParams; },
  'URL: its parameters follow': () => { const url = new URL('http://a/?x=1'); const it = url.searchParams; url.search = '?z=2'; return it.get('z') === '2' && !it.has('x'); },
  'URL: no parameters, no question mark': () => { const url = new URL('http://a/?x'); url.searchParams.delete('x'); return url.href === 'http://a/'; },

  'URLSearchParams: plus and percent': () => parameters('a+b=%2B%zz%ff').get('a b') === '+%zz\ufffd',
  'URLSearchParams: what is written': () => parameters([['a', ' *-._~!\'()ü&=']]).toString() === 'a=+*-._%7E%21%27%28%29%C3%BC%26%3D',
  'URLSearchParams: empty ones': () => same([...parameters('&a&&=b&c=&=')], [['a', ''], ['', 'b'], ['c', ''], ['', '']]),
  'URLSearchParams: one question mark': () => parameters('??a=1').has('?a'),
  'URLSearchParams: of objects and pairs': () => parameters({ a: 1, b: null }).toString() === 'a=1&b=null' && parameters(new Map([['a', 'b']])).get('a') === 'b' && parameters(parameters('x=1')).get('x') === '1',
  'URLSearchParams: pairs have two': () => thrown(() => parameters([['a']])) === 'TypeError' && thrown(() => parameters([1])) === 'TypeError',
  'URLSearchParams: undefined is nothing': () => parameters(undefined).toString() === '' && parameters(null).toString() === 'null=',
  'URLSearchParams: of one name': () => { const it = parameters('a=1&b=2&a=3'); it.set('a', 4); return it.toString() === 'a=4&b=2' && it.has('b', '2') && !it.has('b', '3'); },
  'URLSearchParams: delete one value': () => { const it = parameters('a=1&a=2'); it.delete('a', '1'); return it.toString() === 'a=2'; },
  'URLSearchParams: sorted by code units, stable': () => { const it = parameters('\ufb01=1&\u{1f30a}=2&a=3&a=1'); it.sort(); return same([...it.values()], ['3', '1', '2', '1']); },
  'URLSearchParams: walked while it changes': () => { const it = parameters('a=1&b=2'); const names = []; for (const [name] of it) { names.push(name); if (name === 'a') it.append('c', '3'); } return same(names, ['a', 'b', 'c']); },

  'TextDecoder: overlong and truncated': () => decoded(0xc0, 0x80) === '\ufffd\ufffd' && decoded(0xe2, 0x82) === '\ufffd' && decoded(0xf0, 0x9f, 0x8c) === '\ufffd',
  'TextDecoder: surrogates and beyond': () => decoded(0xed, 0xa0, 0x80) === '\ufffd\ufffd\ufffd' && decoded(0xf4, 0x90, 0x80, 0x80) === '\ufffd\ufffd\ufffd\ufffd',
  'TextDecoder: a broken character keeps the next': () => decoded(0xe2, 0x41) === '\ufffdA' && decoded(0xf1, 0x80, 0xc3, 0xa9) === '\ufffd\u00e9',
  'TextDecoder: zero is a character': () => decoded(0x61, 0, 0x62) === 'a\0b',
  'TextDecoder: the mark at the beginning': () => decoded(0xef, 0xbb, 0xbf, 0x61) === 'a' && new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.of(0xef, 0xbb, 0xbf)) === '\ufeff' && decoded(0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf) === '\ufeff',
  'TextDecoder: fatal': () => [[0xff], [0xc3], [0xed, 0xa0, 0x80]].every((bytes) => thrown(() => new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes))) === 'TypeError'),
  'TextDecoder: fatal takes U+FFFD': () => new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(0xef, 0xbf, 0xbd)) === '\ufffd',
  'TextDecoder: usable after an error': () => { const it = new TextDecoder('utf-8', { fatal: true }); thrown(() => it.decode(Uint8Array.of(0xff))); return it.decode(Uint8Array.of(0x61)) === 'a'; },
  'TextDecoder: a stream that breaks off': () => { const it = new TextDecoder(); return it.decode(Uint8Array.of(0xe2, 0x82), { stream: true }) === '' && it.decode() === '\ufffd'; },
  'TextDecoder: labels': () => new TextDecoder(' UTF8 ').encoding === 'utf-8' && thrown(() => new TextDecoder('none')) === 'RangeError',
  'TextDecoder: UTF-16': () => { const it = new TextDecoder('utf-16le'); return it.encoding === 'utf-16le' && it.decode(Uint8Array.of(0xff, 0xfe, 0x61, 0, 0x3c, 0xd8, 0x0a, 0xdf)) === 'a\u{1f30a}' && it.decode(Uint8Array.of(0x00, 0xd8)) === '\ufffd'; },
  'TextDecoder: UTF-16 by pieces': () => { const it = new TextDecoder('utf-16'); return [0x3c, 0xd8, 0x0a, 0xdf].map((byte) => it.decode(Uint8Array.of(byte), { stream: true })).join('') + it.decode() === '\u{1f30a}'; },
  'TextDecoder: views and buffers': () => new TextDecoder().decode(new DataView(Uint8Array.of(0x61, 0x62, 0x63).buffer, 1, 1)) === 'b' && new TextDecoder().decode() === '' && thrown(() => new TextDecoder().decode('a')) === 'TypeError',
  'TextEncoder': () => hex(new TextEncoder().encode('a\u00e9\u20ac\u{1f30a}\udc00')) === '61c3a9e282acf09f8c8aefbfbd' && new TextEncoder().encode().length === 0,
  'TextEncoder into a view': () => { const bytes = new Uint8Array(4); return same(new TextEncoder().encodeInto('a\u20ac\u00e9', bytes), { read: 2, written: 4 }) && same(new TextEncoder().encodeInto('\u{1f30a}', new Uint8Array(3)), { read: 0, written: 0 }); },

  'structuredClone: cycles and what is shared': () => { const inner = {}; const it = { a: inner, b: inner, list: [] }; it.list.push(it); const copy = structuredClone(it); return copy.a === copy.b && copy.a !== inner && copy.list[0] === copy; },
  'structuredClone: Map and Set of objects': () => { const key = { k: 1 }; const copy = structuredClone({ map: new Map([[key, new Set([key])]]) }); const [[first, set]] = copy.map; return first.k === 1 && first !== key && set.has(first); },
  'structuredClone: Date, RegExp, wrappers': () => { const copy = structuredClone([new Date(5), /a/gi, Object(1), Object('s'), Object(false), Object(2n)]); return copy[0].getTime() === 5 && String(copy[1]) === '/a/gi' && copy[2] instanceof Number && copy[3] == 's' && copy[4] instanceof Boolean && typeof copy[5] === 'object'; },
  'structuredClone: views share their buffer': () => { const buffer = new ArrayBuffer(8); const copy = structuredClone([new Uint8Array(buffer, 2, 3), new DataView(buffer, 1), new Float64Array(buffer)]); copy[1].setUint8(1, 7); return copy[0][0] === 7 && copy[0].length === 3 && copy[2].buffer === copy[0].buffer && new Uint8Array(buffer)[2] === 0; },
  'structuredClone: errors': () => { const copy = structuredClone(new RangeError('r', { cause: { x: 1 } })); return copy instanceof RangeError && copy.message === 'r' && copy.cause.x === 1; },
  'structuredClone: undefined, holes, BigInt, -0': () => { const copy = structuredClone({ u: undefined, list: [, 1], big: 1n, zero: -0 }); return 'u' in copy && !(0 in copy.list) && copy.big === 1n && Object.is(copy.zero, -0); },
  'structuredClone: what cannot be': () => [() => 1, Symbol('s'), new WeakMap(), Promise.resolve(), { deep: [() => 1] }].every((value) => thrown(() => structuredClone(value)) === 'DataCloneError'),
  'structuredClone: classes become objects': () => { class Own { x = 1; get y() { return 2; } } const copy = structuredClone(new Own()); return Object.getPrototypeOf(copy) === Object.prototype && same(copy, { x: 1 }); },
  'structuredClone: getters are read, symbols are not': () => { const copy = structuredClone({ get g() { return 3; }, [Symbol('s')]: 1 }); return copy.g === 3 && Object.getOwnPropertySymbols(copy).length === 0; },
  'structuredClone: a key named __proto__': () => { const copy = structuredClone(JSON.parse('{"__proto__":{"x":1}}')); return copy.x === undefined && Object.hasOwn(copy, '__proto__'); },
  'structuredClone: transfer': () => { const buffer = new ArrayBuffer(3); const copy = structuredClone({ buffer }, { transfer: [buffer] }); return copy.buffer.byteLength === 3 && buffer.detached; },
  'structuredClone: extra properties of arrays': () => { const list = [1]; list.name = 'n'; return structuredClone(list).name === 'n'; },
  'structuredClone: without a value': () => thrown(() => structuredClone()) === 'TypeError' && structuredClone(null) === null,

  'crypto: arrays of integers': () => crypto.getRandomValues(new Uint8Array(0)).length === 0 && new Set(crypto.getRandomValues(new Uint32Array(64))).size > 60 && crypto.getRandomValues(new BigInt64Array(2))[0] !== 0n,
  'crypto: refuses the rest': () => thrown(() => crypto.getRandomValues(new Float32Array(1))) === 'TypeMismatchError' && thrown(() => crypto.getRandomValues(new Uint8Array(65537))) === 'QuotaExceededError' && thrown(() => crypto.getRandomValues([1])) === 'TypeError',
  'crypto: a part of a buffer': () => { const bytes = new Uint8Array(64); crypto.getRandomValues(bytes.subarray(16, 48)); return bytes.subarray(0, 16).every((x) => x === 0) && bytes.subarray(48).every((x) => x === 0) && bytes.some((x) => x !== 0); },
  'base 64': () => btoa('') === '' && btoa('\u00ff') === '/w==' && thrown(() => btoa('\u0100')) === 'InvalidCharacterError' && atob(' YQ = = ') === 'a' && atob('YQ') === 'a',
  'base 64 that cannot be': () => ['Y', 'YQ=', 'YQ===', 'Y-==', 'YWJj='].filter((text) => thrown(() => atob(text)) !== 'InvalidCharacterError').join() === '',
  'Date: the clock goes on': () => { const before = Date.now(); while (Date.now() === before); return Date.now() > before && Math.abs(new Date() - Date.now()) < 1000; },
  'Date: UTC': () => new Date().getTimezoneOffset() === 0 && new Date(2024, 6, 1).getTime() === Date.UTC(2024, 6, 1) && /GMT\+0000/.test(String(new Date())),
  'performance': () => { const a = performance.now(); const b = performance.now(); return b >= a && performance.timeOrigin + b > 1.7e12; },
  'queueMicrotask': () => thrown(() => queueMicrotask(1)) === 'TypeError',
  'timers: no text, no nothing': () => thrown(() => setTimeout('x')) === 'TypeError' && clearTimeout(12345) === undefined && clearTimeout() === undefined && clearTimeout(null) === undefined,
  'timers: order': () => same(order, ['micro', 'zero', 'nan', 'args 1 2', 'three', 'text']),
  'console': () => ['log', 'info', 'warn', 'error', 'debug', 'trace', 'assert', 'table', 'dir', 'group', 'groupEnd', 'time', 'timeEnd', 'count'].filter((name) => typeof console[name] !== 'function').join() === '',
  'DOMException': () => { const it = new DOMException('m', 'AbortError'); return it instanceof Error && it.name === 'AbortError' && it.code === 20; },
};

httpout.on_request = async (request) => {
  setTimeout(() => order.push('text'), '400');
  setTimeout(() => order.push('three'), 200);
  setTimeout(() => order.push('zero'));
  setTimeout(() => order.push('nan'), NaN);
  setTimeout((...values) => order.push(`args ${values.join(' ')}`), 1, 1, 2);
  clearTimeout(setTimeout(() => order.push('cleared'), 1));
  queueMicrotask(() => order.push('micro'));
  await new Promise((resolve) => setTimeout(resolve, 600));
  const wrong = [];
  for (const [name, check] of Object.entries(CHECKS)) {
    try {
      if (check() !== true) wrong.push(`${name} does not hold\n`);
    } catch (error) {
      wrong.push(`${name}: ${error}\n`);
    }
  }
  request.reply = 200;
  request.body = `${wrong.join('')}${Object.keys(CHECKS).length} checks`;
  request.send();
};
