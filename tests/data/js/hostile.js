// Scripts against their own engine: one thing for each path. What it costs is told by what `/clean` answers afterwards.
import { Bitstream, File, SHA1, Sys } from 'gpaccore';

const answer = (request, body) => { request.reply = 200; request.body = body; request.send(); };
const evil = () => { throw new Error('evil was called'); };
const replace = (object) => {
  const { defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
  const names = ownKeys(object);
  for (let index = 0; index < names.length; index++) {
    const name = names[index];
    const { configurable, writable } = getOwnPropertyDescriptor(object, name);
    if (name === 'constructor' || name === 'length' || !(configurable || writable)) continue;
    defineProperty(object, name, { __proto__: null, value: evil, writable: true, configurable: true });
  }
};
const replies = (set) => (request) => { set(request); request.send(); };
const reply = (value) => replies((request) => { request.reply = value; request.body = 'x'; });
const field = (name, value) => replies((request) => {
  request.reply = 200;
  request.body = 'x';
  request.headers_out.push({ name, value });
});
const body = (value) => replies((request) => { request.reply = 200; request.body = value; });
const reading = (read) => replies((request) => { request.reply = 200; request.read = read; });
const told = new Error('told');
const revoked = () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; };
/** Uses what the server and the request have, and says what it found. */
const all = (request) => {
  print('used', { a: 1 }, 1.5, told);
  console.log(request.method, request.netid > 0, request.tls, request.IP, request.port > 0);
  request.headers_out[request.headers_out.length] = { name: 'x-set', value: request.headers_in.length > 0 };
  request.close = (code) => { print('closed ' + code + ' after all'); };
  setTimeout(() => { answer(request, 'used ' + request.path); }, 1);
};
const used_after = (pollute) => (request) => { pollute(); all(request); };

const FAULTS = {
  // What is thrown.
  '/throw/null': () => { throw null; },
  '/throw/undefined': () => { throw undefined; },
  '/throw/symbol': () => { throw Symbol('s'); },
  '/throw/bigint': () => { throw 10n; },
  '/throw/getter': () => { throw { get name() { throw 1; }, get message() { throw 2; }, get stack() { throw 3; }, toJSON() { throw 4; } }; },
  '/throw/proxy': () => { throw new Proxy(new Error('p'), { get: evil, has: evil, ownKeys: evil, getPrototypeOf: evil }); },
  '/throw/revoked': () => { throw revoked(); },
  '/throw/loop': () => { throw { get message() { for (;;); } }; },
  '/throw/long': () => { throw new Error('long '.repeat(1e6)); },
  '/throw/lines': () => { throw new Error('one\r\n2026-01-01 ERROR forged\u0000\u001b[31m'); },
  '/throw/surrogate': () => { throw new Error('half \ud800'); },
  '/throw/itself': () => { const it = {}; it.it = it; throw it; },
  '/throw/deep': () => { let it = null; for (let i = 0; i < 1e5; i++) it = { it }; throw it; },
  '/throw/stack': () => { const error = new Error('own'); error.stack = 'at forged (other.js:1:1)\n'.repeat(1e5); throw error; },
  '/throw/async': async () => { throw new Error('async'); },
  '/throw/later': (request) => { setTimeout(() => { throw new Error('later'); }, 1); setTimeout(answer, 50, request, 'too late'); },

  // What never ends.
  '/end/awaits': async () => { await new Promise(() => {}); },
  '/end/thenable': async () => { await { then() {} }; },
  '/end/microtasks': () => { const again = () => queueMicrotask(again); again(); },
  '/end/thenables': async () => { const self = { then: (resolve) => resolve(self) }; await self; },
  '/end/finally': () => { for (;;) { try { for (;;); } finally { continue; } } },
  '/end/generator': () => { const it = (function* () { for (;;) yield; })(); for (const _ of it); },
  '/end/sort': () => { for (;;) [1, 2, 3].sort(() => Math.random() - 0.5); },
  '/end/getter': reply({ valueOf() { for (;;); } }),
  '/end/toString': body({ toString() { for (;;); } }),
  '/end/array': () => [].concat(...Array(1e3).fill(Array(1e5).fill(0))).sort(() => 0).indexOf(1),
  '/end/length': () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1),
  '/end/redos': () => /^(([a-z])+.)+[A-Z]([a-z])+$/.test('a'.repeat(200)),
  '/end/redos/u': () => /(\p{L}+)*\d/u.exec('é'.repeat(60)),
  '/end/replace': () => 'x'.repeat(1e6).replaceAll('', 'y'.repeat(1e3)),
  '/end/sleep': () => Sys.sleep(1e9),

  // What takes memory.
  '/memory/string': () => 'x'.padEnd(2 ** 29).repeat(100),
  '/memory/join': () => Array(1e8).join('xxxxxxxxxxxxxxxx'),
  '/memory/array': () => { const it = []; for (;;) it.push(it.slice()); },
  '/memory/map': () => { const it = new Map(); for (let i = 0; ; i++) it.set(i, {}); },
  '/memory/buffer': () => new ArrayBuffer(2 ** 40),
  '/memory/resizable': () => { const it = new ArrayBuffer(1, { maxByteLength: 2 ** 31 - 1 }); it.resize(2 ** 31 - 1); new Uint8Array(it).fill(1); },
  '/memory/bigint': () => 2n ** (2n ** 40n),
  '/memory/json': () => { let it = ['x'.repeat(1e4)]; for (let i = 0; i < 30; i++) it = [it, it]; JSON.stringify(it); },
  '/memory/regexp': () => new RegExp('(?:'.repeat(1e6)),
  '/memory/source': () => new Function('x'.repeat(1e7) + '+'.repeat(1e6)),
  '/memory/timers': (request) => { for (let i = 0; i < 1e7; i++) setTimeout(answer, 1e6, request, i); },
  '/memory/promises': () => { for (;;) new Promise(() => {}).then(() => {}); },
  '/memory/zip': () => { const it = Sys.compress(new ArrayBuffer(1 << 24)); for (const all = []; ;) all.push(Sys.decompress(it)); },
  '/memory/fields': (request) => { for (let i = 0; i < 1e6; i++) request.headers_out.push({ name: `x-${i}`, value: 'y'.repeat(100) }); answer(request, 'x'); },
  '/memory/caught': () => { const all = []; for (;;) { try { for (;;) all.push(new Array(1000).fill(1.5)); } catch { all.push({}); } } },
  '/deep/recursion': () => { const f = () => f() + 1; f(); },
  '/deep/caught': () => { const f = () => { try { f(); } catch { f(); } }; f(); },
  '/deep/toString': () => { const it = { toString: () => `${it}` }; `${it}`; },
  '/deep/proxy': () => { let it = {}; for (let i = 0; i < 1e5; i++) it = new Proxy(it, {}); it.x; },
  '/deep/json': () => { let it = []; for (let i = 0; i < 1e5; i++) it = [it]; JSON.stringify(it); },
  '/deep/clone': () => { let it = []; for (let i = 0; i < 1e5; i++) it = [it]; structuredClone(it); },
  '/deep/regexp': () => new RegExp(`${'('.repeat(1e5)}a${')'.repeat(1e5)}`).test('a'),
  '/deep/parse': () => eval('['.repeat(1e6)),
  '/deep/sort': () => { const f = () => [2, 1].sort(f); f(); },
  '/deep/getter': () => { const it = { get x() { return this.x; } }; return it.x; },
  '/deep/constructor': () => { class A { constructor() { new A(); } } new A(); },
  '/read/recursion': reading(function read(buffer) { return read(buffer); }),

  // Replies that are none.
  '/reply/nan': reply(NaN),
  '/reply/text': reply('200'),
  '/reply/99': reply(99),
  '/reply/1000': reply(1000),
  '/reply/100': reply(100),
  '/reply/600': reply(600),
  '/reply/fraction': reply(200.5),
  '/reply/infinity': reply(Infinity),
  '/reply/negative': reply(-200),
  '/reply/wraps': reply(2 ** 32 + 200),
  '/reply/bigint': reply(200n),
  '/reply/object': reply({ valueOf: () => 200 }),
  '/reply/symbol': reply(Symbol('s')),
  '/reply/null': reply(null),
  '/reply/undefined': reply(undefined),
  '/reply/getter': (request) => { Object.defineProperty(request, 'reply', { get: evil }); request.send(); },
  '/body/getter': (request) => { request.reply = 200; Object.defineProperty(request, 'body', { get: evil }); request.send(); },
  '/fine/symbol': body(Symbol('s')),
  '/body/throws': body({ toString: evil }),
  '/body/proxy': body(new Proxy({}, { get: evil })),
  '/body/revoked': body(revoked()),
  '/fields/null': replies((request) => { request.reply = 200; request.headers_out = null; }),
  '/fields/getter': field('x-a', { toString: evil }),
  '/fields/proxy': replies((request) => { request.reply = 200; request.headers_out = new Proxy([], { get: evil }); }),
  '/fields/endless': replies((request) => { request.reply = 200; request.headers_out = { length: Infinity }; }),
  '/fields/growing': replies((request) => {
    request.reply = 200;
    const it = request.headers_out;
    it.push({ get name() { it.push(it[0]); return 'x-a'; }, value: 'y' });
  }),
  '/send/other': (request) => { const send = request.send; send.call({}); },
  '/send/detached': (request) => { const { send } = request; send(); },

  // In the middle of a body, and at its end.
  '/read/nan': reading(() => NaN),
  '/read/undefined': reading(() => {}),
  '/read/text': reading(() => '1'),
  '/read/more': reading((buffer) => buffer.byteLength + 1),
  '/read/infinity': reading(() => Infinity),
  '/read/object': reading(() => ({ valueOf: () => 1 })),
  '/read/promise': reading(async () => 1),
  '/read/throws': reading(evil),
  '/read/loops': reading(() => { for (;;); }),
  '/read/detached': reading((buffer) => { structuredClone(buffer, { transfer: [buffer] }); return 10; }),
  '/read/replaced': replies((request) => { request.reply = 200; request.read = () => { request.read = 7; return 1; }; }),
  '/throttle/throws': replies((request) => { request.reply = 200; request.body = 'x'; request.throttle = evil; }),
  '/throttle/text': replies((request) => { request.reply = 200; request.body = 'x'; request.throttle = () => 'x'; }),
  '/throttle/huge': replies((request) => { request.reply = 200; request.body = 'x'; request.throttle = () => 1e15; }),
  '/throttle/infinity': replies((request) => { request.reply = 200; request.body = 'x'; request.throttle = () => Infinity; }),

  // What costs nothing.
  '/fine/send': (request) => { answer(request, 'once'); try { request.send(); } catch (error) { print(String(error)); } },
  '/fine/close': (request) => { request.close = evil; answer(request, 'whole'); },
  '/fine/close-loops': (request) => { request.close = () => { for (;;); }; answer(request, 'whole'); },
  '/fine/log': (request) => { for (let i = 0; i < 20000; i++) print(`flood ${i}`); answer(request, 'logged'); },
  '/fine/log-long': (request) => { print('long '.repeat(1e6)); answer(request, 'logged'); },
  '/fine/interval': (request) => { setInterval(() => {}, 0); setTimeout(answer, 5, request, 'answered'); },
  '/fine/rejects': (request) => { Promise.reject(1).catch(() => answer(request, 'caught')); },
  '/fine/throttle-nan': replies((request) => { request.reply = 200; request.body = 'whole'; request.throttle = () => NaN; }),
  '/fine/throttle-negative': replies((request) => { request.reply = 200; request.body = 'whole'; request.throttle = () => -5; }),
  '/fine/eof': reading(() => 0),
  '/fine/negative-once': (request) => { let count = 0; request.reply = 200; request.read = (buffer) => { if (count++ < 3) return -1; if (count > 4) return 0; new Uint8Array(buffer)[0] = 65; return 1; }; request.send(); },
  '/fine/shrunk': reading((() => { let count = 0; return (buffer) => { if (count++) return 0; new Uint8Array(buffer).fill(66, 0, 2); return 2; }; })()),
  '/fine/view': body(new Uint8Array([65, 66, 67]).subarray(1)),
  '/fine/resizable': (request) => { const it = new ArrayBuffer(4, { maxByteLength: 8 }); const view = new Uint8Array(it, 2); view.fill(67); it.resize(3); request.reply = 200; request.body = view; request.send(); },
  '/body/detached': (request) => { const it = new ArrayBuffer(4); const view = new Uint8Array(it); it.transfer(); request.reply = 200; request.body = view; request.send(); },
  '/body/lies': (request) => { const it = new Uint8Array([68]); Object.defineProperty(it, 'byteLength', { value: 1e9 }); Object.defineProperty(it, 'byteOffset', { value: -1 }); Object.defineProperty(it, 'buffer', { value: new ArrayBuffer(5) }); request.reply = 200; request.body = it; request.send(); },
  '/fine/after': (request) => { request.reply = 200; const it = Uint8Array.of(69); request.body = it; request.send(); it[0] = 70; it.buffer.transfer(); },
  '/fine/species': (request) => { class Own extends Uint8Array { static get [Symbol.species]() { return evil; } } request.reply = 200; request.body = new Own([71]); request.send(); },
  '/fine/stale': (request) => { setTimeout(() => { request.reply = 201; request.body = 'late'; request.headers_out.push({ name: 'x-late', value: '1' }); }, 1); answer(request, 'first'); },
  '/fine/import': (request) => { import('./none.js').catch((error) => answer(request, error.message)); },
  '/fine/import-data': (request) => { import('data:text/javascript,1').catch((error) => answer(request, error.name)); },
  '/fine/import-internal': (request) => { import('httpout:native').catch((error) => answer(request, error.name)); },
  '/fine/file': (request) => {
    const tried = ['/etc/passwd', '/proc/self/mem', '../outside.txt', 'www/../../x', '', '\0', '/', '.', 'www/absolute-escape.txt', 'a'.repeat(1e5), '/dev/zero'].map((path) => {
      try { new File(path, 'rb').getc(); return `opened ${path}`; } catch { return ''; }
    });
    answer(request, `none${tried.join('')}`);
  },
  '/fine/objects': (request) => {
    const tried = [() => new File(revoked()), () => new Bitstream(1e12), () => new SHA1().push(5), () => Sys.base16dec('x'), () => new Bitstream(new ArrayBuffer(1)).get_bits(1e9), () => Sys.crc32({}), () => File.prototype.read.call({}), () => new SHA1().get.call(1), () => Sys.load_file({ toString: evil }), () => Sys.decompress(new ArrayBuffer(9)), () => crypto.getRandomValues(revoked()), () => new Bitstream().put_bits(1n, 8)].map((run) => {
      try { run(); return 'no'; } catch { return 'error'; }
    });
    answer(request, tried.join());
  },
  '/fine/hash-used-up': (request) => { const it = new SHA1(); it.get(); try { it.push(new ArrayBuffer(1)); it.get(); } catch { /* either is fine */ } answer(request, 'fine'); },

  // What replaces the language: the engine goes on.
  '/used/object': used_after(() => { Object.prototype.get = evil; Object.prototype.set = evil; Object.prototype.value = 1; Object.prototype.then = evil; }),
  '/used/setters': used_after(() => { for (const name of ['method', 'url', 'name', 'value', 'id', 'at', 'callback', 'values', '0', '1']) Object.defineProperty(Object.prototype, name, { __proto__: null, set: evil, get: () => undefined, configurable: true }); }),
  '/used/array': used_after(() => replace(Array.prototype)),
  '/used/iterators': used_after(() => { replace(Object.getPrototypeOf([][Symbol.iterator]())); replace(Object.getPrototypeOf(function* () {}.prototype)); }),
  '/used/string': used_after(() => replace(String.prototype)),
  '/used/number': used_after(() => { replace(Number.prototype); replace(Number); }),
  '/used/function': used_after(() => replace(Function.prototype)),
  '/used/promise': used_after(() => { replace(Promise.prototype); replace(Promise); }),
  '/used/json': used_after(() => { replace(JSON); replace(Math); replace(Object); }),
  '/used/map': used_after(() => { replace(Map.prototype); replace(Set.prototype); replace(WeakMap.prototype); }),
  '/used/regexp': used_after(() => replace(RegExp.prototype)),
  '/used/buffers': used_after(() => { replace(ArrayBuffer.prototype); replace(Object.getPrototypeOf(Uint8Array.prototype)); replace(Uint8Array.prototype); }),
  '/used/error': used_after(() => replace(Error.prototype)),
  '/used/globals': used_after(() => {
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (!['print', 'console', 'setTimeout', 'globalThis'].includes(name)) try { globalThis[name] = undefined; } catch { /* fixed */ }
    }
  }),
  '/used/species': used_after(() => { Object.defineProperty(Array, Symbol.species, { get: evil }); Array.prototype.constructor = evil; }),
  '/used/own': used_after(() => { Object.prototype.__proto__; Object.setPrototypeOf(httpout, null); delete globalThis.httpout; }),

  // What never comes.
  '/stall/read': reading(() => -1),
  '/stall/timer': () => { setInterval(() => {}, 10); },
  '/stall/watch': async () => { await state.changed('never'); },

  '/names': (request) => answer(request, Object.keys(FAULTS).join('\n')),
  '/clean': (request) => answer(request, 'clean ' + typeof {}.get + ' ' + ([].slice === evil)),
};

httpout.on_request = (request) => (FAULTS[request.path] ?? all)(request);
