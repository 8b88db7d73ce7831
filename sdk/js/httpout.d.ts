/**
 * What scripts of httpout see (option `js`): the documented API of GPAC's httpout, its modules, and what is beside it.
 *
 * Give your editor a `jsconfig.json` or `tsconfig.json` beside the script, with this file and without those of browsers:
 *
 *     { "compilerOptions": { "lib": ["ES2024"], "types": [], "checkJs": true, "strict": true, "noEmit": true,
 *                            "module": "ESNext", "moduleResolution": "bundler" },
 *       "files": ["myserver.js", "httpout.d.ts"] }
 */

// ---- the documented API ----

/** The server. A script gives it its `on_request`. */
declare const httpout: HTTPOut;

interface HTTPOut {
  /** Called for each request. What it returns counts if it is a {@link Response}, or a promise of one. */
  on_request?: (request: HTTPOutRequest) => unknown;
}

/** A field of a request or of a response, as the document has it. */
interface HTTPHeader {
  name: string;
  value: string;
}

/** A request and its reply. Scripts may keep things of their own in it. */
interface HTTPOutRequest extends AsyncIterable<Uint8Array<ArrayBuffer>> {
  /** GET, HEAD, PUT, POST, DELETE or OPTIONS. */
  readonly method: string;
  /** Path and query, decoded. */
  readonly url: string;
  /** What the server found: 200 identified or no rule applies, 401, 403. */
  readonly auth_code: number;
  /** Whether the connection is over TLS. */
  readonly tls: boolean;
  /** Numbers the connection. */
  readonly netid: number;
  /** The client's address. */
  readonly IP: string;
  /** The client's port. */
  readonly port: number;
  /** As received, names in lower case. */
  readonly headers_in: HTTPHeader[];
  /** The path, decoded and normalized: what the server resolves, and what to compare in a rule. */
  readonly path: string;
  /** Path and query as received. */
  readonly target: string;
  /** Who was identified. */
  readonly user: string | undefined;
  /** Numbers the request in the log. */
  readonly id: number;
  /** What it came by, such as `HTTP/1.1`. */
  readonly protocol: string;
  /** Whom the client asks: host and port as it has named them. */
  readonly authority: string | undefined;
  /** The address that the client has connected to. */
  readonly local_address: string;
  /** Bytes of the request's body, where it says so. */
  readonly body_length: number | undefined;
  /** Of the response, as far as it is; final in `close`, as are the next two. */
  readonly status: number;
  /** Bytes of the response's body. */
  readonly bytes_sent: number;
  /** Bytes of the request's body. */
  readonly bytes_received: number;

  /** 0, the default: the server handles the request. 200 to 599: the response is the script's. */
  reply: number;
  /** Fields to add to the response, whoever makes it. */
  headers_out: { name: string; value: string | number }[];
  /** With reply 0 the path of a file to serve, else a text or bytes. */
  body?: string | BufferSource | null;
  /** Fills the buffer with the next bytes of the body, and says how many; 0 is the end, less: there are none yet. */
  read?: (buffer: ArrayBuffer) => number;
  /** Takes the body of a PUT or POST, piece by piece; null is its end. */
  write?: (buffer: ArrayBuffer | null) => unknown;
  /** Microseconds to wait before the next block. `total` is 0 where it is not known. */
  throttle?: (done: number, total: number) => number | void;
  /** The exchange is over: 1 (`GF_EOS`) when all was sent, else negative. */
  close?: (code: number) => unknown;
  /** The decision is made: now, or later from a timer, a promise or another callback; once. */
  send(): void;

  // Beside the document.

  /** A text that another plugin of the chain has left. */
  attribute(name: string): string | undefined;
  /** Leaves a text for the other plugins of the chain. */
  set_attribute(name: string, value: string): void;
  /** To be set: seconds for `send()` and each block of the body, in place of option `timeout`, within `plugin_patience`. */
  set timeout(seconds: number);
  /** `headers_in`, by names in any case. */
  readonly headers: Headers;
  /** The body of a PUT or POST; of other requests it is empty. The reply is the script's own then. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  text(): Promise<string>;
  json(): Promise<any>;
  /** The same by pieces, for which the client waits. */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, unknown>;
  /** Sets all of the reply and sends it, once. */
  respond(response?: Reply | Response): void;

  /** What the script keeps. */
  [own: string]: any;
}

/** What `request.respond` takes. */
interface Reply {
  /** 200 to 599; 200 where it is not given. */
  status?: number;
  headers?: HeadersInit;
  body?: BodyInit | null;
  /** A value to send as JSON, in place of a body. */
  json?: unknown;
}

/** The document's other form: a script of a session, which binds an object to the server. */
declare const session: {
  set_new_filter_fun(callback: (filter: SessionFilter) => void): void;
  set_del_filter_fun(callback: (filter: SessionFilter) => void): void;
  /** Calls a function after some ms, and again for as long as it says so: true at once, a number after so many ms. */
  post_task(task: () => boolean | number | void, name?: string, delay?: number): void;
  post_task(task: () => boolean | number | void, delay?: number): void;
  print: typeof print;
};

interface SessionFilter {
  readonly name: string;
  readonly type: string;
  bind(object: HTTPOut): void;
}

/** A line in the server's log. Before several values a level may stand: `GF_LOG_ERROR` … */
declare function print(...values: unknown[]): void;

/** The text of a code given to `close`. */
declare function error_string(code: number): string;

declare const GF_EOS: 1;
declare const GF_OK: 0;
declare const GF_BAD_PARAM: -1;
declare const GF_OUT_OF_MEM: -2;
declare const GF_IO_ERR: -3;
declare const GF_NOT_SUPPORTED: -4;
declare const GF_CORRUPTED_DATA: -5;
declare const GF_SG_UNKNOWN_NODE: -6;
declare const GF_SG_INVALID_PROTO: -7;
declare const GF_SCRIPT_ERROR: -8;
declare const GF_BUFFER_TOO_SMALL: -9;
declare const GF_NON_COMPLIANT_BITSTREAM: -10;
declare const GF_FILTER_NOT_FOUND: -11;
declare const GF_URL_ERROR: -12;
declare const GF_SERVICE_ERROR: -13;
declare const GF_REMOTE_SERVICE_ERROR: -14;
declare const GF_STREAM_NOT_FOUND: -15;
declare const GF_URL_REMOVED: -16;
declare const GF_IP_ADDRESS_NOT_FOUND: -40;
declare const GF_IP_CONNECTION_FAILURE: -41;
declare const GF_IP_NETWORK_FAILURE: -42;
declare const GF_IP_CONNECTION_CLOSED: -43;
declare const GF_IP_NETWORK_EMPTY: -44;
declare const GF_IP_SOCK_WOULD_BLOCK: -45;
declare const GF_IP_UDP_TIMEOUT: -46;
declare const GF_AUTHENTICATION_FAILURE: -50;
declare const GF_NOT_READY: -51;
declare const GF_INVALID_CONFIGURATION: -52;
declare const GF_NOT_FOUND: -53;
declare const GF_PROFILE_NOT_SUPPORTED: -54;
declare const GF_LOG_QUIET: 0;
declare const GF_LOG_ERROR: 1;
declare const GF_LOG_WARNING: 2;
declare const GF_LOG_INFO: 3;
declare const GF_LOG_DEBUG: 4;

// ---- modules ----

/** GPAC's module. Its names are global too, because the document's samples use them so. */
declare module 'gpaccore' {
  /** A file below the `rdirs`, the script's directory or the `wdir`, which alone can be written. */
  export class File {
    /** Modes are those of C: `rb`, the default, `r+b`, `wb`, `ab`. */
    constructor(path: string, mode?: string);
    pos: number;
    /** A read has come to the end. */
    readonly eof: boolean;
    readonly error: number;
    readonly size: number;
    /** Fills a buffer, or its first `count` bytes, and says how many there were. */
    read(buffer: ArrayBuffer, count?: number): number;
    write(buffer: ArrayBuffer, count?: number): number;
    /** From the beginning (0), from here (1), from the end (2). */
    seek(position: number, whence?: 0 | 1 | 2): number;
    /** A line, with what ends it; null at the end. */
    gets(): string | null;
    getc(): string | null;
    puts(text: string): number;
    putc(character: string | number): number;
    flush(): void;
    close(): void;
  }

  /** Numbers of any number of bits, read from bytes or written to them. */
  export class Bitstream {
    /** Reads a buffer, or writes into it where `is_write` says so. Without a buffer it writes to memory. */
    constructor(buffer?: ArrayBuffer, is_write?: boolean);
    readonly size: number;
    /** In bytes. */
    pos: number;
    readonly bit_pos: number;
    readonly bit_offset: number;
    readonly available: number;
    readonly bits_available: number;
    is_align(): boolean;
    align(): void;
    skip(bytes: number): void;
    truncate(): void;
    flush(): void;
    /** The next bits, without moving on; from so many bytes ahead. */
    peek(bits: number, ahead?: number): number;
    /** Up to 53 bits. */
    get_bits(count: number): number;
    get_u8(): number;
    get_s8(): number;
    get_u16(): number;
    get_u16_le(): number;
    get_s16(): number;
    get_u24(): number;
    get_u32(): number;
    get_u32_le(): number;
    get_s32(): number;
    get_u64(): number;
    get_u64_le(): number;
    get_s64(): number;
    get_float(): number;
    get_double(): number;
    get_4cc(): string;
    get_string(): string;
    get_data(buffer: ArrayBuffer): number;
    put_bits(value: number, count: number): void;
    put_u8(value: number): void;
    put_s8(value: number): void;
    put_u16(value: number): void;
    put_u16_le(value: number): void;
    put_s16(value: number): void;
    put_u24(value: number): void;
    put_u32(value: number): void;
    put_u32_le(value: number): void;
    put_s32(value: number): void;
    put_u64(value: number | bigint): void;
    put_u64_le(value: number | bigint): void;
    put_s64(value: number | bigint): void;
    put_float(value: number): void;
    put_double(value: number): void;
    put_4cc(code: string): void;
    put_string(text: string): void;
    put_data(buffer: ArrayBuffer, count?: number): void;
    /** Takes the rest of another stream. */
    transfer(source: Bitstream): void;
    /** Puts bytes in at a place; what stood there follows. */
    insert_data(buffer: ArrayBuffer, at: number): void;
    /** What was written; the stream is empty then. */
    get_content(): ArrayBuffer;
  }

  /** The hash of bytes that come in pieces. */
  export class SHA1 {
    push(data: BufferSource): void;
    /** Its 20 bytes. */
    get(): ArrayBuffer;
  }

  /** What `Sys.enum_directory` gives. */
  export interface DirectoryEntry {
    name: string;
    path: string;
    directory: boolean;
    hidden: boolean;
    size: number;
    /** Seconds since 1970. */
    last_modified: number;
  }

  export const Sys: {
    readonly args: string[];
    readonly nb_cores: number;
    /** Milliseconds, and microseconds, of a clock that never goes back. */
    clock_ms(): number;
    clock_us(): number;
    /** Milliseconds since 1970, or of a date in text. */
    get_utc(date?: string): number;
    get_ntp(): { n: number; d: number };
    /** Seconds from one such time to another. */
    ntp_shift(later: { n: number; d: number }, earlier: { n: number; d: number }): number;
    /** Waits in the call: nothing else of this request happens. */
    sleep(milliseconds: number): void;
    rand_init(reset?: boolean): void;
    rand(): number;
    rand64(): bigint;
    getenv(name: string): null;
    get_opt(section: string, name: string): null;
    error_string(code: number): string;
    gc(): void;
    load_file(path: string, as_text: true): string;
    load_file(path: string, as_text?: false): ArrayBuffer;
    file_exists(path: string): boolean;
    dir_exists(path: string): boolean;
    /** Seconds since 1970; 0 where there is no such file. */
    mod_time(path: string): number;
    mkdir(path: string): void;
    rmdir(path: string): void;
    /** Deletes the files in a directory. */
    dir_clean(path: string): void;
    del(path: string): void;
    move(from: string, to: string): void;
    /** All that is in a directory, what has one of the extensions `mp4;mp3`, or the directories (`dir`). */
    enum_directory(path: string, filter?: string): DirectoryEntry[];
    basename(path: string): string;
    file_ext(path: string): string | null;
    crc32(data: string | BufferSource): number;
    sha1(data: string | BufferSource): ArrayBuffer;
    base64enc(data: string | BufferSource): string;
    base64dec(text: string): ArrayBuffer;
    base16enc(data: string | BufferSource): string;
    base16dec(text: string): ArrayBuffer;
    compress(data: string | BufferSource): ArrayBuffer;
    decompress(data: BufferSource): ArrayBuffer;
    url_cat(parent: string, url: string): string;
    htonl(value: number): number;
    ntohl(value: number): number;
    htons(value: number): number;
    ntohs(value: number): number;
    fcc_to_str(code: number): string;
  };
}

declare var File: typeof import('gpaccore').File;
type File = import('gpaccore').File;
declare var Bitstream: typeof import('gpaccore').Bitstream;
type Bitstream = import('gpaccore').Bitstream;
declare var SHA1: typeof import('gpaccore').SHA1;
type SHA1 = import('gpaccore').SHA1;
declare var Sys: typeof import('gpaccore').Sys;

/** What of QuickJS's module reaches nothing outside. */
declare module 'os' {
  export const platform: string;
  export function now(): number;
  export function sleepAsync(delay: number): Promise<void>;
  const set_timeout: typeof globalThis.setTimeout;
  const set_interval: typeof globalThis.setInterval;
  const clear_timeout: typeof globalThis.clearTimeout;
  export { set_timeout as setTimeout, set_interval as setInterval, clear_timeout as clearTimeout, clear_timeout as clearInterval };
}

/** What of QuickJS's module reaches nothing outside. */
declare module 'std' {
  export function gc(): void;
  export function getenv(name: string): undefined;
  export function puts(...texts: string[]): void;
}

// ---- beside the documented API ----

/** Bytes. */
type BufferSource = ArrayBuffer | ArrayBufferView<ArrayBuffer>;

/** Text, bytes, a form, or what gives texts and bytes one after the other. */
type BodyInit =
  | string
  | BufferSource
  | URLSearchParams
  | Iterable<string | BufferSource | Promise<string | BufferSource>>
  | AsyncIterable<string | BufferSource>;

type HeadersInit = Headers | Record<string, string | number> | Iterable<readonly [string, string | number] | HTTPHeader>;

/** Fields of a message, by names in any case. */
declare class Headers implements Iterable<[string, string]> {
  constructor(init?: HeadersInit);
  append(name: string, value: string | number): void;
  delete(name: string): void;
  /** All values of that name in one, or null. */
  get(name: string): string | null;
  getSetCookie(): string[];
  has(name: string): boolean;
  set(name: string, value: string | number): void;
  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void;
  /** By name; each cookie by itself. */
  entries(): Generator<[string, string], void, unknown>;
  keys(): Generator<string, void, unknown>;
  values(): Generator<string, void, unknown>;
  [Symbol.iterator](): Generator<[string, string], void, unknown>;
  toJSON(): Record<string, string>;
}

interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

/** What another server gave, or what a handler gives. */
declare class Response {
  constructor(body?: BodyInit | null, init?: ResponseInit);
  static json(value: unknown, init?: ResponseInit): Response;
  status: number;
  statusText: string;
  readonly headers: Headers;
  /** 200 to 299. */
  readonly ok: boolean;
  /** Where it came from, after redirects. */
  readonly url: string;
  readonly redirected: boolean;
  /** Its pieces as they come. */
  readonly body: AsyncGenerator<Uint8Array<ArrayBuffer>, void, unknown> | null;
  readonly bodyUsed: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  json(): Promise<any>;
  text(): Promise<string>;
}

interface RequestInit {
  /** GET where it is not given. */
  method?: string;
  headers?: HeadersInit;
  body?: string | BufferSource | URLSearchParams | null;
  /** `follow` where it is not given. */
  redirect?: 'follow' | 'manual' | 'error';
  signal?: AbortSignal | null;
}

/** Asks another server, which option `plugin_allow` grants. */
declare function fetch(url: string | URL, init?: RequestInit): Promise<Response>;

declare class AbortSignal {
  private constructor();
  static abort(reason?: unknown): AbortSignal;
  static timeout(milliseconds: number): AbortSignal;
  readonly aborted: boolean;
  readonly reason: any;
  onabort: ((event: { type: 'abort'; target: AbortSignal }) => unknown) | null;
  addEventListener(type: 'abort', listener: (event: { type: 'abort'; target: AbortSignal }) => unknown): void;
  removeEventListener(type: 'abort', listener: (event: { type: 'abort'; target: AbortSignal }) => unknown): void;
  throwIfAborted(): void;
}

declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

/** What stands under a key of {@link state}. */
interface StateEntry {
  /** Undefined where there is nothing. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  /** The same as text. */
  readonly value: string | undefined;
  /** Grows with each change; 0 where there is nothing. */
  readonly version: number;
}

interface StateOptions {
  /** Milliseconds after which a new entry ceases to exist. */
  ttl?: number;
}

/** What outlives a request: entries that all requests share. */
declare const state: {
  /** The text of an entry. */
  get(key: string): string | undefined;
  entry(key: string): StateEntry;
  /** The new version. */
  set(key: string, value: string | BufferSource, options?: StateOptions): number;
  /** Whether there was one. */
  delete(key: string): boolean;
  /** The sum. */
  increment(key: string, by?: number, options?: StateOptions): number;
  /** The new version, or undefined where the key has another one than that; 0 stands for a key without an entry. */
  compareAndSet(key: string, version: number, value: string | BufferSource, options?: StateOptions): number | undefined;
  /** Those that begin so, in order. */
  keys(prefix?: string): Generator<string, void, unknown>;
  /** The entry, as soon as it has another version than that, which is that of now where it is not given. */
  changed(key: string, version?: number): Promise<StateEntry>;
  /** Each change from now on, or from a version on; those that come fast may be seen as one. */
  watch(key: string, options?: { version?: number }): AsyncGenerator<StateEntry, never, unknown>;
};

/** What the script is told: `--js 'my.js?key=value'`. */
declare const config: { readonly [name: string]: string | undefined } & Iterable<readonly [name: string, value: string]>;

/** Figures on the server's page of metrics (option `metrics`), behind `httpout_plugin_`. */
declare const metrics: {
  /** Adds to what only grows, 1 where it is not given. */
  counter(name: string, by?: number, labels?: Record<string, string | number>): void;
  gauge(name: string, value: number, labels?: Record<string, string | number>): void;
  /** Made for seconds from 0.001 to 10000. */
  histogram(name: string, value: number, labels?: Record<string, string | number>): void;
};

// ---- the web's ----

declare function setTimeout(callback: (...values: any[]) => unknown, delay?: number, ...values: any[]): number;
declare function setInterval(callback: (...values: any[]) => unknown, delay?: number, ...values: any[]): number;
declare function clearTimeout(id: number | undefined): void;
declare function clearInterval(id: number | undefined): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<Value>(value: Value, options?: { transfer?: ArrayBuffer[] }): Value;
declare function atob(text: string): string;
declare function btoa(text: string): string;

/** Lines in the server's log. */
declare const console: {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  debug(...values: unknown[]): void;
  trace(...values: unknown[]): void;
  assert(condition?: unknown, ...values: unknown[]): void;
};

declare const crypto: {
  getRandomValues<View extends ArrayBufferView>(array: View): View;
  randomUUID(): string;
};

declare const performance: {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
};

declare class DOMException extends Error {
  constructor(message?: string, name?: string);
  readonly code: number;
}

declare class TextEncoder {
  readonly encoding: 'utf-8';
  encode(text?: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, array: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: 'utf-8' | 'utf-16le';
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(input?: BufferSource, options?: { stream?: boolean }): string;
}

declare class URL {
  constructor(url: string | URL, base?: string | URL);
  static canParse(url: string | URL, base?: string | URL): boolean;
  static parse(url: string | URL, base?: string | URL): URL | null;
  href: string;
  readonly origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
  readonly searchParams: URLSearchParams;
  toString(): string;
  toJSON(): string;
}

declare class URLSearchParams implements Iterable<[string, string]> {
  constructor(init?: string | Record<string, string> | Iterable<readonly [string, string]> | URLSearchParams);
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  sort(): void;
  forEach(callback: (value: string, name: string, parameters: URLSearchParams) => void, self?: unknown): void;
  entries(): Generator<[string, string], void, unknown>;
  keys(): Generator<string, void, unknown>;
  values(): Generator<string, void, unknown>;
  [Symbol.iterator](): Generator<[string, string], void, unknown>;
  toString(): string;
}
