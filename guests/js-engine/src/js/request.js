// The documented object of a request.

import native from 'httpout:native';
import { warn } from 'httpout:console';

/** What can be asked of a request, most of which few scripts do: asked when it is read, and kept. */
const FACTS = {
  method: native.method,
  url: native.url,
  auth_code: native.auth_code,
  tls: native.is_secure,
  netid: native.netid,
  IP: native.peer_address,
  port: native.peer_port,
  headers_in: native.headers_in,
  // Beyond the document.
  path: native.path,
  target: native.target,
  user: native.user,
};

const DOCUMENTED = ['method', 'url', 'auth_code', 'tls', 'netid', 'IP', 'port', 'headers_in'];

/** Methods whose requests have a body for `write`. */
const UPLOADS = ['PUT', 'POST'];

const CONTENT_LENGTH = 'content-length';

let exchange_of;

/** A request and its reply. */
export class HTTPOutRequest {
  #exchange;
  #is_sent = false;
  /** How many of `headers_out` the server has. */
  #fields = 0;
  #length;
  #read;

  /** 0: the server handles the request. */
  reply = 0;
  headers_out = [];

  static {
    exchange_of = (request) => request.#exchange;
    for (const [name, ask] of Object.entries(FACTS)) {
      const keep = (request, value) => Object.defineProperty(
        request, name, { value, writable: true, enumerable: true, configurable: true });
      Object.defineProperty(this.prototype, name, {
        get() {
          const value = ask(exchange_of(this));
          keep(this, value);
          return value;
        },
        set(value) {
          keep(this, value);
        },
        enumerable: true,
        configurable: true,
      });
    }
  }

  constructor(exchange) {
    this.#exchange = exchange;
  }

  get read() {
    return this.#read;
  }

  set read(callback) {
    // The document's sample does that.
    if (this.#read && callback) warn('`request.read` is set twice: was `request.write` meant?');
    this.#read = callback;
  }

  /** The decision is made: may be called later, once. */
  send() {
    if (this.#is_sent) throw new Error('send() was called already');
    const exchange = this.#exchange;
    this.#apply();
    if (this.reply) {
      if (is_function(this.read) && this.body == null) native.use_read(exchange, this.#length);
      if (is_function(this.write) && UPLOADS.includes(this.method)) native.use_write(exchange);
    }
    if (is_function(this.throttle)) native.use_throttle(exchange);
    if (is_function(this.close)) native.use_close(exchange);
    this.#is_sent = true;
    native.send(exchange);
  }

  /** The request's body has come, of which the reply may depend. */
  update() {
    if (this.#is_sent) this.#apply();
  }

  /** What the document names, and what the script has set. */
  toJSON() {
    const shown = {};
    for (const name of DOCUMENTED) shown[name] = this[name];
    return Object.assign(shown, this);
  }

  #apply() {
    const { reply, headers_out } = this;
    // 0 is what the server begins with.
    if (reply !== 0 || this.#is_sent) this.#set_reply(reply);
    for (let index = this.#fields; index < headers_out.length; index++) {
      const { name, value } = headers_out[index];
      if (name !== undefined && value !== undefined) this.#add(String(name), String(value));
    }
    this.#fields = headers_out.length;
    if (this.body != null) this.#set_body(this.body);
  }

  #set_reply(reply) {
    if (!Number.isInteger(reply)) throw new TypeError(`request.reply is ${String(reply)}, not a status`);
    const is_status = reply >= 0 && reply <= 0xffff && native.set_reply(this.#exchange, reply);
    if (!is_status) throw new RangeError(`request.reply cannot be ${reply}`);
  }

  #add(name, value) {
    // The server frames the message; it wants to know how long what `read` gives will be.
    if (name.length === CONTENT_LENGTH.length && name.toLowerCase() === CONTENT_LENGTH) {
      const length = Number(value);
      this.#length = Number.isSafeInteger(length) && length >= 0 ? length : undefined;
    } else {
      native.add_header(this.#exchange, name.toWellFormed(), value.toWellFormed());
    }
  }

  #set_body(body) {
    if (this.reply === 0) {
      // A path of the host, or else one that a request could ask for.
      const path = String(body).toWellFormed();
      native.set_body_file(this.#exchange, native.find_file(path) ?? path);
    } else if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
      native.set_body_bytes(this.#exchange, body);
    } else {
      native.set_body(this.#exchange, String(body).toWellFormed());
    }
  }
}

function is_function(value) {
  return typeof value === 'function';
}
