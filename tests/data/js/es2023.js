// What the language promises up to ES2023, one check a line. The response names each that does not hold.

const thrown = (run) => { try { run(); } catch (error) { return error.constructor; } };
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const refuses = (text) => thrown(() => new Function(text)) === SyntaxError;
const seen = [];
const later = [];
const settle = (name, promise, holds) => later.push([name, promise.then(holds, () => false)]);

class Base {
  static made = [];
  #secret = 7;
  kind = 'base';
  constructor() { Base.made.push(new.target.name); }
  get secret() { return this.#secret; }
  set secret(value) { this.#secret = value; }
  static is(object) { return #secret in object; }
  static #hidden() { return 'hidden'; }
  static show() { return Base.#hidden(); }
  say() { return 'base'; }
}
class Derived extends Base {
  kind = `${super.say()}, derived`;
  ['com' + 'puted']() { return 1; }
  say() { return `${super.say()}+`; }
  static { this.ready = true; }
}

function* numbers(count) {
  try {
    for (let index = 0; index < count; index++) seen.push(yield index);
    return 'end';
  } finally {
    seen.push('closed');
  }
}
async function* slowly(...values) {
  for (const value of values) { await null; yield value; }
}
const collect = async (iterable) => { const all = []; for await (const value of iterable) all.push(value); return all; };

settle('async functions give a promise', (async () => 1)(), (value) => value === 1);
settle('await unwraps thenables', (async () => await { then: (resolve) => resolve(5) })(), (value) => value === 5);
settle('await throws what was rejected', (async () => { try { await Promise.reject(3); } catch (error) { return error; } })(), (value) => value === 3);
settle('async generators', collect(slowly(1, 2, 3)), (all) => same(all, [1, 2, 3]));
settle('for await over promises', collect([Promise.resolve(1), 2]), (all) => same(all, [1, 2]));
settle('Promise.all', Promise.all([1, Promise.resolve(2)]), (all) => same(all, [1, 2]));
settle('Promise.allSettled', Promise.allSettled([1, Promise.reject(2)]), (all) => same(all.map(({ status }) => status), ['fulfilled', 'rejected']));
settle('Promise.any', Promise.any([Promise.reject(1), Promise.resolve(2)]), (value) => value === 2);
settle('Promise.any with none', Promise.any([Promise.reject(1)]).catch((error) => error), (error) => error instanceof AggregateError && error.errors[0] === 1);
settle('Promise.race', Promise.race([new Promise(() => {}), Promise.resolve('first')]), (value) => value === 'first');
settle('Promise finally passes on', Promise.resolve(4).finally(() => 5), (value) => value === 4);
settle('dynamic import', import('gpaccore'), (module) => typeof module.Sys === 'object');
settle('yield* in async generators', collect((async function* () { yield* slowly(1, 2); yield 3; })()), (all) => same(all, [1, 2, 3]));

const CHECKS = {
  'let has a temporal dead zone': () => thrown(() => { x; let x = 1; }) === ReferenceError,
  'const cannot be assigned': () => { const x = 1; return thrown(() => { x = 2; }) === TypeError; },
  'closures in loops are fresh': () => { const all = []; for (let i = 0; i < 3; i++) all.push(() => i); return same(all.map((f) => f()), [0, 1, 2]); },
  'default parameters see earlier ones': () => ((a, b = a + 1) => b)(1) === 2,
  'rest and spread': () => ((...all) => Math.max(...all))(1, 3, 2) === 3,
  'object rest': () => { const { a, ...rest } = { a: 1, b: 2, c: 3 }; return same(rest, { b: 2, c: 3 }); },
  'object spread': () => same({ ...{ a: 1, b: 2 }, b: 3 }, { a: 1, b: 3 }),
  'nested destructuring with defaults': () => { const { a: [, b = 2] = [1] } = {}; return b === 2; },
  'destructuring closes iterators': () => { seen.length = 0; const [first] = numbers(3); return first === 0 && same(seen, ['closed']); },
  'template literals': () => `${1 + 1}\u{1f30a}${`${'in'}`}` === '2🌊in',
  'tagged templates': () => ((strings, value) => strings.raw[0] + value)`a\n${1}` === 'a\\n1',
  'template objects are kept': () => { const tag = (strings) => strings; const f = () => tag`x`; return f() === f(); },
  'arrow functions keep this': () => { const o = { f() { return (() => this)(); } }; return o.f() === o; },
  'optional chaining': () => { const o = null; return o?.a.b.c === undefined && o?.[0] === undefined && o?.() === undefined; },
  'nullish coalescing': () => (0 ?? 1) === 0 && (null ?? 1) === 1,
  'logical assignment': () => { let a = null, b = 1, c = 0; a ??= 2; b &&= 3; c ||= 4; return same([a, b, c], [2, 3, 4]); },
  'exponentiation': () => 2 ** 3 ** 2 === 512,
  'numeric separators': () => 1_000_000 === 1e6,
  'binary and octal literals': () => 0b11 === 3 && 0o17 === 15,
  'catch without a binding': () => { try { throw 1; } catch { return true; } },
  'finally overrides return': () => (() => { try { return 1; } finally { return 2; } })() === 2,
  'labels': () => { let count = 0; outer: for (;;) { for (;;) { if (++count > 2) break outer; continue outer; } } return count === 3; },
  'switch compares strictly': () => { switch ('1') { case 1: return false; default: return true; } },
  'getters and setters': () => { const o = { get x() { return this.y; }, set x(v) { this.y = v; } }; o.x = 4; return o.x === 4; },
  'modules are strict': () => thrown(() => { undeclared = 1; }) === ReferenceError && (function () { return this; })() === undefined,
  'functions have names': () => (() => {}).name === '' && ({ f() {} }).f.name === 'f' && (class A {}).name === 'A',
  'new.target': () => { Base.made.length = 0; new Derived(); new Base(); return same(Base.made, ['Derived', 'Base']); },
  'class fields and super': () => new Derived().kind === 'base, derived' && new Derived().say() === 'base+',
  'private names': () => Base.is(new Derived()) && !Base.is({}) && Base.show() === 'hidden' && thrown(() => Object.getOwnPropertyDescriptor(Base.prototype, 'secret').get.call({})) === TypeError,
  'accessors on private fields': () => { const o = new Base(); o.secret = 8; return o.secret === 8; },
  'static blocks and computed names': () => Derived.ready && new Derived().computed() === 1,
  'classes need new': () => thrown(() => Base()) === TypeError,
  'subclasses of Array': () => { class List extends Array {} const list = List.from([1, 2]); return list.map((x) => x) instanceof List && list.length === 2; },
  'subclasses of Error': () => { class Own extends Error {} const error = new Own('m'); return error instanceof Own && error instanceof Error && error.message === 'm'; },
  'Error cause': () => new Error('x', { cause: 1 }).cause === 1,
  'errors have a stack': () => typeof new Error('x').stack === 'string',
  'generators take values': () => { seen.length = 0; const it = numbers(2); it.next(); it.next('a'); return same(it.next('b'), { value: 'end', done: true }) && same(seen, ['a', 'b', 'closed']); },
  'generators can be returned': () => { const it = numbers(9); it.next(); return same(it.return(5), { value: 5, done: true }) && it.next().done; },
  'generators can be thrown into': () => { const it = (function* () { try { yield 1; } catch (error) { yield error; } })(); it.next(); return it.throw(2).value === 2; },
  'yield* gives the return value': () => { const it = (function* () { return yield* numbers(0); })(); return it.next().value === 'end'; },
  'own iterators': () => same([...{ *[Symbol.iterator]() { yield 1; yield 2; } }], [1, 2]),
  'symbols': () => Symbol('d').description === 'd' && Symbol.for('k') === Symbol.for('k') && Symbol.keyFor(Symbol.for('k')) === 'k',
  'toPrimitive': () => `${{ [Symbol.toPrimitive]: (hint) => hint }}` === 'string' && +{ [Symbol.toPrimitive]: () => 3 } === 3,
  'toStringTag': () => String({ [Symbol.toStringTag]: 'Own' }) === '[object Own]',
  'hasInstance': () => 1 instanceof { [Symbol.hasInstance]: (value) => value === 1 },
  'species': () => { class List extends Array { static get [Symbol.species]() { return Array; } } return !(new List(1, 2).map((x) => x) instanceof List); },
  'isConcatSpreadable': () => [].concat({ length: 1, 0: 'a', [Symbol.isConcatSpreadable]: true })[0] === 'a',
  'Array.from and of': () => same(Array.from({ length: 2 }, (_, i) => i * 2), [0, 2]) && same(Array.of(3), [3]),
  'flat and flatMap': () => same([1, [2, [3]]].flat(Infinity), [1, 2, 3]) && same([1, 2].flatMap((x) => [x, x]), [1, 1, 2, 2]),
  'at': () => [1, 2].at(-1) === 2 && 'ab'.at(-1) === 'b' && Uint8Array.of(1, 2).at(-2) === 1,
  'includes finds NaN': () => [NaN].includes(NaN) && [NaN].indexOf(NaN) === -1,
  'findLast': () => [1, 2, 3].findLast((x) => x < 3) === 2 && [1, 2, 3].findLastIndex((x) => x > 5) === -1,
  'copies of arrays': () => { const a = [2, 1]; return same([a.toSorted(), a.toReversed(), a.with(0, 9), a.toSpliced(0, 1), a], [[1, 2], [1, 2], [9, 1], [1], [2, 1]]); },
  'copies of typed arrays': () => same([...Uint8Array.of(3, 1).toSorted()], [1, 3]) && Uint8Array.of(1).with(0, 2)[0] === 2,
  'sort is stable': () => same(Array.from({ length: 100 }, (_, i) => ({ i, k: i % 2 })).sort((a, b) => a.k - b.k).map(({ i }) => i).slice(0, 3), [0, 2, 4]),
  'copyWithin and fill': () => same([1, 2, 3].copyWithin(0, 1), [2, 3, 3]) && same(new Array(2).fill(0), [0, 0]),
  'holes': () => !(0 in [, 1]) && same([, 1].map((x) => x), [null, 1]) && [...[, 1]].hasOwnProperty(0),
  'length of arrays': () => { const a = [1, 2, 3]; a.length = 1; return same(a, [1]) && thrown(() => { a.length = -1; }) === RangeError; },
  'typed arrays clamp and wrap': () => Uint8ClampedArray.of(300)[0] === 255 && Uint8Array.of(300)[0] === 44 && Int8Array.of(200)[0] === -56,
  'views share a buffer': () => { const b = new ArrayBuffer(4); new DataView(b).setUint16(1, 0x1234); return new Uint8Array(b)[2] === 0x34; },
  'DataView minds the order of bytes': () => { const v = new DataView(new ArrayBuffer(8)); v.setFloat64(0, 1.5, true); return v.getFloat64(0, true) === 1.5 && v.getUint8(7) === 0x3f; },
  'BigInt arrays': () => BigInt64Array.of(-1n)[0] === -1n && new BigUint64Array(BigInt64Array.of(-1n).buffer)[0] === 2n ** 64n - 1n,
  'BigInt arithmetic': () => 7n / 2n === 3n && (-7n) % 3n === -1n && BigInt.asUintN(8, 257n) === 1n && thrown(() => 1n + 1) === TypeError,
  'BigInt from text': () => BigInt('0xff') === 255n && 10n > 9 && 1n == 1,
  'Map keeps order and NaN': () => { const m = new Map([[NaN, 1], ['b', 2]]); m.delete(NaN); m.set(NaN, 3); return same([...m.values()], [2, 3]); },
  'Set': () => new Set([1, 1, -0]).size === 2 && Object.is([...new Set([-0])][0], 0),
  'changing a Map while it is walked': () => { const m = new Map([[1, 1]]); let n = 0; for (const [k] of m) { if (++n < 5) { m.delete(k); m.set(k + 1, 1); } } return n === 5; },
  'weak collections': () => { const k = {}; const w = new WeakMap([[k, 1]]); return w.get(k) === 1 && new WeakSet([k]).has(k) && thrown(() => w.set(1, 1)) === TypeError; },
  'symbols as weak keys': () => { const k = Symbol('k'); return new WeakMap([[k, 1]]).get(k) === 1; },
  'WeakRef and FinalizationRegistry': () => { const o = {}; new FinalizationRegistry(() => {}).register(o, 1); return new WeakRef(o).deref() === o; },
  'Proxy traps': () => { const p = new Proxy({}, { get: (_, k) => k, has: () => true, ownKeys: () => ['a'] }); return p.x === 'x' && 'y' in p && same(Reflect.ownKeys(p), ['a']); },
  'revoked proxies': () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return thrown(() => proxy.x) === TypeError; },
  'Reflect': () => Reflect.construct(Date, [0]) instanceof Date && Reflect.apply(Math.max, null, [1, 2]) === 2 && Reflect.getPrototypeOf([]) === Array.prototype,
  'Object.entries and fromEntries': () => same(Object.fromEntries(Object.entries({ a: 1 }).map(([k, v]) => [k, v + 1])), { a: 2 }),
  'Object.hasOwn': () => Object.hasOwn({ a: 1 }, 'a') && !Object.hasOwn({}, 'toString'),
  'order of properties': () => same(Object.keys({ b: 1, 2: 1, a: 1, 1: 1 }), ['1', '2', 'b', 'a']),
  'freezing': () => { const o = Object.freeze({ a: 1 }); return thrown(() => { o.a = 2; }) === TypeError && Object.isFrozen(o); },
  'property descriptors': () => { const o = Object.defineProperty({}, 'x', { value: 1 }); return same(Object.getOwnPropertyDescriptors(o).x, { value: 1, writable: false, enumerable: false, configurable: false }); },
  'globalThis': () => globalThis.globalThis === globalThis && typeof globalThis.Object === 'function',
  'strings by code points': () => [...'a🌊'].length === 2 && '🌊'.codePointAt(0) === 0x1f30a && String.fromCodePoint(0x1f30a) === '🌊',
  'padding, trimming, repeating': () => 'a'.padStart(3, '-') === '--a' && ' a '.trimEnd() === ' a' && 'ab'.repeat(2) === 'abab' && thrown(() => 'a'.repeat(-1)) === RangeError,
  'replaceAll and matchAll': () => 'a.a'.replaceAll('.', '$&$&') === 'a..a' && same([...'a1b2'.matchAll(/\d/g)].map(([d]) => d), ['1', '2']),
  'normalize': () => 'e\u0301'.normalize('NFC') === '\u00e9' && '\ufb01'.normalize('NFKC') === 'fi',
  'upper case beyond ASCII': () => 'straße'.toUpperCase() === 'STRASSE' && 'İ'.toLowerCase().length === 2,
  'isWellFormed': () => !'\ud800'.isWellFormed() && '\ud800'.toWellFormed() === '\ufffd',
  'String.raw': () => String.raw`\n${1}` === '\\n1',
  'named groups': () => { const { groups } = /(?<y>\d{4})-(?<m>\d\d)/.exec('2024-05'); return groups.y === '2024' && '2024-05'.replace(/(?<y>\d+)-(?<m>\d+)/, '$<m>/$<y>') === '05/2024'; },
  'lookbehind': () => 'a$1 b2'.match(/(?<=\$)\d/)[0] === '1' && /(?<!\$)\b\d/.test('$1') === false,
  'sticky, dotAll, indices': () => { const r = /a/y; r.lastIndex = 1; return r.test('ba') && /a.b/s.test('a\nb') && same(/b(c)/d.exec('abc').indices[1], [2, 3]); },
  'unicode properties': () => /^\p{Script=Greek}+$/u.test('αβγ') && /\p{Emoji}/u.test('🌊') && /^.$/u.test('🌊'),
  'back references': () => /(a)\1/.test('aa') && /(?<q>['"]).*\k<q>/.test('"x"'),
  'flags of a RegExp': () => new RegExp('a', 'gimsuyd').flags === 'dgimsuy' && refuses('/a/gg'),
  'split and replace by functions': () => same('a1b2c'.split(/\d/), ['a', 'b', 'c']) && 'ab'.replace(/[ab]/g, (c, at) => c + at) === 'a0b1',
  'numbers as text': () => (0.1 + 0.2).toFixed(10) === '0.3000000000' && (255).toString(16) === 'ff' && (1e21).toString() === '1e+21' && (0.000001234).toString() === '0.000001234' && (123.456).toPrecision(4) === '123.5',
  'numbers from text': () => Number('0b11') === 3 && Number('') === 0 && Number.isNaN(Number('1x')) && parseFloat('1.5e3x') === 1500 && parseInt('08') === 8,
  'safe integers': () => Number.isSafeInteger(2 ** 53 - 1) && !Number.isSafeInteger(2 ** 53) && Number.EPSILON > 0,
  'Math': () => Math.trunc(-1.5) === -1 && Math.hypot(3, 4) === 5 && Math.clz32(1) === 31 && Math.imul(0xffffffff, 5) === -5 && Math.fround(5.5) === 5.5 && Object.is(Math.sign(-0), -0) && Math.cbrt(27) === 3,
  'bits': () => (-1 >>> 0) === 4294967295 && (1 << 31) === -2147483648 && ~5 === -6,
  'Date in UTC': () => new Date(2024, 1, 29, 12).toISOString() === '2024-02-29T12:00:00.000Z' && new Date('2024-02-30').getTime() !== 0,
  'Date from text': () => Date.parse('2024-01-01T00:00:00+02:00') === 1704060000000 && Date.parse('Mon, 01 Jan 2024 00:00:00 GMT') === 1704067200000 && Number.isNaN(Date.parse('x')),
  'Date to text': () => new Date(0).toUTCString() === 'Thu, 01 Jan 1970 00:00:00 GMT' && new Date(NaN).toJSON() === null && thrown(() => new Date(NaN).toISOString()) === RangeError,
  'JSON': () => same(JSON.parse('{"a":[1,{"b":null}]}', (k, v) => (k === 'b' ? 2 : v)), { a: [1, { b: 2 }] }) && JSON.stringify({ a: undefined, b: () => 1, c: NaN }) === '{"c":null}' && JSON.stringify('\ud800') === '"\\ud800"',
  'JSON refuses': () => ['{a:1}', "'a'", '[1,]', '01', '\u00a01', ''].every((text) => thrown(() => JSON.parse(text)) === SyntaxError) && thrown(() => { const o = {}; o.o = o; JSON.stringify(o); }) === TypeError,
  'JSON by indent and toJSON': () => JSON.stringify([1], null, 2) === '[\n  1\n]' && JSON.stringify({ toJSON: () => 'x' }) === '"x"' && JSON.stringify({ a: 1, b: 2 }, ['b']) === '{"b":2}',
  'encodeURIComponent': () => encodeURIComponent('ü&/') === '%C3%BC%26%2F' && decodeURIComponent('%F0%9F%8C%8A') === '🌊' && thrown(() => decodeURIComponent('%ff')) === URIError,
  'indirect eval is global': () => { (0, eval)('var made_by_eval = 1'); return globalThis.made_by_eval === 1 && thrown(() => eval('var hidden_in_eval = 1; hidden')) === ReferenceError; },
  'hashbang and HTML-like comments': () => eval('#!x\n1') === 1,
  'errors while parsing': () => ['let a; let a', 'const a', 'for (const x of y, z);', 'a?.b = 1', 'class { constructor() {} constructor() {} }', 'super()', 'yield => { "use strict"; yield 1 }', 'new.target = 1', 'async () => { await = 1 }', '"use strict"; with (a) {}', '"use strict"; 010', '`${', 'class A { #a; #a }', 'class A { f() { this.#b } }'].filter((text) => !refuses(text)).join(' | ') === '',
  'ASI': () => new Function('return\n1')() === undefined && new Function('let a = 1\nlet b = 2\nreturn a\n+b')() === 3,
  'tail of a comma': () => same([1, 2,].length, 2) && ((a, b,) => a)(1, 2,) === 1,
  'import.meta': () => typeof import.meta === 'object',
  'SharedArrayBuffer is not shared': () => typeof SharedArrayBuffer === 'undefined' || new SharedArrayBuffer(1).byteLength === 1,
  'transfer and resize of buffers': () => { const b = new ArrayBuffer(2, { maxByteLength: 8 }); b.resize(4); const t = b.transfer(); return b.detached && b.byteLength === 0 && t.byteLength === 4; },
  'arguments': () => (function (a) { return arguments.length === 2 && arguments[1] === 2 && [...arguments].length === 2; })(1, 2),
  'getter on super and home objects': () => { const a = { get x() { return this.v; } }; const b = { __proto__: a, v: 3, y() { return super.x; } }; return b.y() === 3; },
  'async stack does not grow': () => { let n = 0; const p = (async () => { for (let i = 0; i < 10000; i++) await null; n = 1; })(); return p instanceof Promise && n === 0; },
};

const settled = await Promise.all(later.map(async ([name, holds]) => [name, await holds]));

httpout.on_request = (request) => {
  const wrong = settled.filter(([, holds]) => holds !== true).map(([name]) => `${name} does not hold\n`);
  for (const [name, check] of Object.entries(CHECKS)) {
    try {
      if (check() !== true) wrong.push(`${name} does not hold\n`);
    } catch (error) {
      wrong.push(`${name}: ${error}\n`);
    }
  }
  request.reply = 200;
  request.body = `${wrong.join('')}${settled.length + Object.keys(CHECKS).length} checks`;
  request.send();
};
