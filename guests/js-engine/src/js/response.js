// A response: one that another server gave, or one to give.

import { bytes_of, check, is_iterable, join, text_of, type_of } from 'httpout:bodies';
import { Headers } from 'httpout:headers';

export class Response {
  #body;
  #is_used = false;

  constructor(body = null, { status = 200, statusText = '', headers, url = '', redirected = false } = {}) {
    this.#body = check(body);
    this.status = Number(status);
    this.statusText = String(statusText);
    this.headers = new Headers(headers);
    this.url = url;
    this.redirected = redirected;
    const type = type_of(body);
    if (type && !this.headers.has('content-type')) this.headers.set('content-type', type);
  }

  static json(value, init = {}) {
    const headers = new Headers(init.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new Response(JSON.stringify(value), { ...init, headers });
  }

  get ok() {
    return this.status >= 200 && this.status <= 299;
  }

  get bodyUsed() {
    return this.#is_used;
  }

  /** Its pieces, one after the other, or null. */
  get body() {
    return this.#body === null ? null : pieces(() => this.take());
  }

  async bytes() {
    const body = this.take();
    if (body === null) return new Uint8Array();
    if (!is_iterable(body)) return bytes_of(body);
    const all = [];
    for await (const piece of body) all.push(bytes_of(piece));
    return join(all);
  }

  async arrayBuffer() {
    const { buffer, byteOffset, byteLength } = await this.bytes();
    return buffer.slice(byteOffset, byteOffset + byteLength);
  }

  async text() {
    return text_of(await this.bytes());
  }

  async json() {
    return JSON.parse(await this.text());
  }

  /** The body as it was given, once. */
  take() {
    if (this.#is_used) throw new TypeError('the body was taken already');
    this.#is_used = this.#body !== null;
    return this.#body;
  }
}

async function* pieces(take) {
  const body = take();
  if (!is_iterable(body)) yield bytes_of(body);
  else for await (const piece of body) yield bytes_of(piece);
}
