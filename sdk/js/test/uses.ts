// Each use that scripts may make of what httpout gives them, and some that they may not.

import { Bitstream, File, SHA1, Sys as sys, type DirectoryEntry } from 'gpaccore';
import * as os from 'os';
import * as std from 'std';

// ---- the documented API ----

httpout.on_request = (request) => {
  const text: string = [request.method, request.url, request.IP, request.path, request.target, request.user ?? ''].join();
  const number: number = request.auth_code + request.netid + request.port;
  print(GF_LOG_DEBUG, text, number, request.tls ? 'tls' : 'plain');
  const more: (string | undefined)[] = [request.protocol, request.authority, request.local_address, request.attribute('a')];
  const sum: number = request.id + request.status + request.bytes_sent + request.bytes_received + (request.body_length ?? 0);
  request.set_attribute('a', more.join() + sum);
  // @ts-expect-error it is final in `close`
  request.bytes_sent = 0;
  for (const { name, value } of request.headers_in) print(`${name}: ${value}`);
  request.headers_out.push({ name: 'x-a', value: 'a' }, { name: 'x-b', value: 2 });
  request.reply = 200;
  request.body = 'text';
  request.body = new ArrayBuffer(1);
  request.body = Uint8Array.of(1);
  request.read = (buffer) => new Uint8Array(buffer).fill(1).length;
  request.write = (buffer) => print(buffer === null ? 'the end' : buffer.byteLength);
  request.throttle = (done, total) => (done < total ? 100 : 0);
  request.close = (code) => print(error_string(code), code === GF_EOS, code === GF_IP_CONNECTION_CLOSED);
  request.src = new File('a.mp4', 'rb');
  setTimeout(() => request.send(), 10);

  // @ts-expect-error no status
  request.reply = '200';
  // @ts-expect-error no body
  request.body = { a: 1 };
  // @ts-expect-error it gives no number
  request.read = () => 'text';
  // @ts-expect-error as received
  request.method = 'GET';
  // @ts-expect-error a field has a value
  request.headers_out.push({ name: 'x-a' });
};

const handler = { on_request: (request: HTTPOutRequest) => request.send() };
session.set_new_filter_fun((f) => {
  print('new filter ' + f.name);
  if (f.name == 'httpout') f.bind(handler);
});
session.set_del_filter_fun((f) => print(f.type));
session.post_task(() => true, 'task', 100);
session.post_task(() => 10);

// ---- modules, and the same names without importing them ----

const file: File = new File('a', 'w+b');
file.puts('line\n');
file.seek(0);
const line: string | null = file.gets();
file.pos = 0;
print(line, file.eof, file.size, file.read(new ArrayBuffer(10), 5));
file.close();
const same: globalThis.File = new globalThis.File('b');
print(same.getc(), globalThis.Sys.clock_ms());

const stream = new Bitstream();
stream.put_bits(5, 3);
stream.put_u64(1n);
stream.align();
const content: ArrayBuffer = stream.get_content();
print(new Bitstream(content).get_bits(3), new globalThis.Bitstream(content).peek(2));

const sha1 = new SHA1();
sha1.push(content);
print(sys.base16enc(sha1.get()), sys.crc32('text'), sys.base64enc(sys.compress('text')));
const whole: string = sys.load_file('a.txt', true);
const bytes: ArrayBuffer = sys.load_file('a.bin');
const entries: DirectoryEntry[] = sys.enum_directory('.', 'mp4;mp3');
print(whole, bytes.byteLength, entries.map(({ path, directory }) => `${path} ${directory}`), sys.get_ntp().n, sys.rand64() > 0n);
sys.dir_clean('in');
print(sys.ntp_shift(sys.get_ntp(), sys.get_ntp()), new TextDecoder('utf-16le').encoding === 'utf-16le');
os.setTimeout(() => std.gc(), os.now());
await os.sleepAsync(1);
// @ts-expect-error nothing of the system is there
os.open('/etc/passwd');

// ---- beside the documented API ----

async function conveniences(request: HTTPOutRequest): Promise<void> {
  const host: string | null = request.headers.get('host');
  for (const [name, value] of request.headers) print(name, value);
  const text: string = await request.text();
  const { length }: Uint8Array = await request.bytes();
  const value: { a: number } = await request.json();
  for await (const piece of request) print(piece.length);
  request.respond();
  request.respond({ status: 404, headers: { 'content-type': 'text/html', age: 1 }, body: `${host} ${text} ${length} ${value.a}` });
  request.respond({ headers: [['a', 'b']], body: Uint8Array.of(1) });
  request.respond({ headers: new Headers(request.headers_in), json: { any: ['thing'] } });
  request.respond({ body: numbered() });
  request.respond({ body: ['a', Promise.resolve('b')] });
  request.respond(Response.json({}));
  // @ts-expect-error an object is a body where `json` says so
  request.respond({ body: { a: 1 } });
  // @ts-expect-error no status
  request.respond({ status: 'fine' });
}

async function* numbered() {
  yield 'text';
  yield new Uint8Array(1);
}

httpout.on_request = conveniences;
httpout.on_request = () => new Response('text', { status: 201, headers: { a: 'b' } });
httpout.on_request = async ({ url }) => fetch(new URL(url, 'https://example.org'));

async function ask(): Promise<unknown> {
  const controller = new AbortController();
  controller.signal.addEventListener('abort', ({ target }) => print(target.reason));
  await fetch('https://example.org/', { signal: controller.signal, redirect: 'manual' });
  const response = await fetch('https://example.org/', {
    method: 'POST', headers: { authorization: 'Bearer x' }, body: new URLSearchParams({ a: 'b' }), signal: AbortSignal.timeout(500),
  });
  if (!response.ok) throw new Error(`${response.status} ${response.headers.get('retry-after')} ${response.url}`);
  for await (const piece of response.body ?? []) print(piece.length);
  const buffer: ArrayBuffer = await response.arrayBuffer();
  // @ts-expect-error whose body would be sent by pieces
  await fetch('https://example.org/', { method: 'PUT', body: numbered() });
  return [buffer, await response.text(), await response.json(), await response.bytes()];
}

async function keep(): Promise<void> {
  const version: number = state.set('key', 'value', { ttl: 1000 });
  const value: string | undefined = state.get('key');
  const { bytes } = state.entry('key');
  const swapped: number | undefined = state.compareAndSet('key', version, Uint8Array.of(1));
  const sum: number = state.increment('sum', 2) + state.increment('sum');
  print(value, bytes?.length, swapped, sum, state.delete('key'), [...state.keys('k')]);
  const changed: StateEntry = await state.changed('key', version);
  print(changed.version);
  for await (const { value } of state.watch('key')) print(value);
  // @ts-expect-error values are text or bytes
  state.set('key', 1);
}

const user: string = config.user ?? 'nobody';
// @ts-expect-error it is what the server was started with
config.user = 'x';
metrics.counter('asked', 1, { path: '/' });
metrics.gauge('level', 1.5);
metrics.histogram('took', 0.01, { user });

// ---- the web's ----

const id: number = setInterval((a: number) => console.log(a), 10, 1);
clearInterval(id);
clearTimeout(undefined);
queueMicrotask(() => console.assert(true, 'fine'));
const random: Uint32Array = crypto.getRandomValues(new Uint32Array(2));
const copy: { a: Map<string, number> } = structuredClone({ a: new Map([['b', random[0]]]) });
const url = new URL('../a?b=c', 'https://example.org/d/');
url.searchParams.append('e', atob(btoa('f')));
print(copy, url.href, [...url.searchParams.keys()], URL.canParse('x'), crypto.randomUUID(), performance.now());
print(new TextDecoder().decode(new TextEncoder().encode('text')), new DOMException('text', 'AbortError').name);
print(ask, keep);
// @ts-expect-error there is no page
document.title = 'x';
