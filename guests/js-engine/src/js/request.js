// The documented object of a request.

import native from 'httpout:native';
import { check, is_iterable, text_of, type_of } from 'httpout:bodies';
import { warn } from 'httpout:console';
import { Headers } from 'httpout:headers';
import { Incoming } from 'httpout:incoming';
import { Outgoing } from 'httpout:outgoing';
import { Response } from 'httpout:response';

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
  id: native.id,
  protocol: native.protocol,
  authority: native.authority,
  local_address: native.local_address,
  body_length: native.body_length,
};

/** What changes while the request is answered: asked each time. */
const PROGRESS = {
  status: native.status,
  bytes_sent: native.bytes_sent,
  bytes_received: native.bytes_received,
};

const DOCUMENTED = ['method', 'url', 'auth_code', 'tls', 'netid', 'IP', 'port', 'headers_in'];

const CONTENT_LENGTH = 'content-length';

/** No status, as all that is larger or less than 0. */
const MOST_REPLY = 0xffff;

/** Methods whose requests have a body for `write`. */
const UPLOADS = ['PUT', 'POST'];

/** Fields of another server's response that are about its connection, which is not this one. */
const OF_CONNECTION = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

let exchange_of;

/** What the server's calls are, where the script uses no callback for them: undefined where it does. */
export let read_body, write_body, end;

/** A request and its reply. */
export class HTTPOutRequest {
  #exchange;
  #is_sent = false;
  /** How many of `headers_out` the server has. */
  #fields = 0;
  #length;
  #read;
  #close;
  /** The body of the request, where the script takes it. */
  #incoming;
  /** The body of the response, where an iterator makes it. */
  #outgoing;

  /** 0: the server handles the request. */
  reply = 0;
  headers_out = [];

  static {
    exchange_of = (request) => request.#exchange;
    read_body = (request, buffer) => request.#outgoing?.read(buffer);
    write_body = (request, buffer) => {
      request.#incoming?.push(buffer);
      return request.#incoming !== undefined;
    };
    end = (request) => request.#outgoing?.close();
    for (const [name, ask] of Object.entries(FACTS)) {
      Object.defineProperty(this.prototype, name, {
        get() {
          const value = ask(exchange_of(this));
          native.keep(this, name, value);
          return value;
        },
        set(value) {
          native.keep(this, name, value);
        },
        enumerable: true,
        configurable: true,
      });
    }
  }

  static {
    for (const [name, ask] of Object.entries(PROGRESS)) {
      Object.defineProperty(this.prototype, name, {
        get() {
          return ask(exchange_of(this));
        },
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
    if (this.#read && callback) warn(`\`request.read\` is set twice: was \`request.write\` meant? (${place()})`);
    this.#read = callback;
  }

  /** Seconds for which the server waits for `send()`, for bytes of `read`, and where `write` has something to wait for. */
  set timeout(seconds) {
    if (!(seconds > 0)) throw new RangeError(`request.timeout cannot be ${seconds}`);
    native.set_timeout(this.#exchange, Math.min(Math.ceil(seconds), 0xffffffff));
  }

  get close() {
    return this.#close;
  }

  set close(callback) {
    this.#close = callback;
    // A client may leave before send().
    if (is_function(callback) && !this.#is_sent) native.use_close(this.#exchange);
  }

  /** Texts that the plugins of a chain leave for each other. */
  attribute(name) {
    return native.attribute(this.#exchange, well_formed(String(name)));
  }

  set_attribute(name, value) {
    native.set_attribute(this.#exchange, well_formed(String(name)), well_formed(String(value)));
  }

  /** `headers_in`, by names in any case. */
  get headers() {
    const value = new Headers(this.headers_in);
    Object.defineProperty(this, 'headers', { value });
    return value;
  }

  /** The body of a PUT or POST, which the server does not get then. */
  async bytes() {
    return this.#take_body().bytes();
  }

  async text() {
    return text_of(await this.bytes());
  }

  async json() {
    return JSON.parse(await this.text());
  }

  /** The same by pieces. */
  [Symbol.asyncIterator]() {
    return this.#take_body().pieces();
  }

  /** Sets all of the reply, and sends it. */
  respond(response = {}) {
    if (this.#is_sent) throw new Error('the reply was sent already');
    const is_response = response instanceof Response;
    const { status = 200, headers, body, json } = is_response
      ? { status: response.status, headers: response.headers, body: response.take() }
      : response;
    if (!is_integer(status) || status < 200 || status > 599) throw new RangeError(`${status} is no status of a reply`);
    const fields = new Headers(headers);
    const content = check(json === undefined ? body : JSON.stringify(json));
    const type = json === undefined ? type_of(content) : 'application/json';
    if (type && !fields.has('content-type')) fields.set('content-type', type);
    for (const [name, value] of fields) {
      if (!is_response || !OF_CONNECTION.includes(name)) this.headers_out.push({ name, value });
    }
    this.reply = status;
    if (is_iterable(content)) this.#outgoing = new Outgoing(content);
    else if (content !== null) this.body = content;
    this.send();
  }

  /** The decision is made: may be called later, once. */
  send() {
    if (this.#is_sent) throw new Error('send() was called already');
    const exchange = this.#exchange;
    this.#apply();
    if (this.reply) {
      const is_written = is_function(this.write) && UPLOADS.includes(this.method);
      // The document's sample sets both callbacks: `read` is for GET, `write` for PUT and POST.
      const is_read = this.#outgoing || (is_function(this.read) && !is_written);
      if (is_read && this.body == null) native.use_read(exchange, this.#length);
      if (is_written) native.use_write(exchange);
    }
    if (is_function(this.throttle)) native.use_throttle(exchange);
    if (this.#outgoing) native.use_close(exchange);
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

  #take_body() {
    if (this.#incoming) return this.#incoming;
    if (is_function(this.write)) throw new TypeError('the body of the request goes to request.write');
    if (this.#is_sent) throw new TypeError('the body of the request was not asked for before send()');
    this.#incoming = new Incoming();
    if (UPLOADS.includes(this.method)) {
      // The server gives it to who replies.
      native.set_reply(this.#exchange, 200);
      native.use_write(this.#exchange);
    } else {
      this.#incoming.push(null);
    }
    return this.#incoming;
  }

  #apply() {
    const { reply } = this;
    if (reply === 0 && this.#incoming && UPLOADS.includes(this.method)) {
      throw new Error('request.reply is 0, but the server cannot handle a request whose body the script has taken');
    }
    // 0 is what the server begins with.
    if (reply !== 0 || this.#is_sent) this.#set_reply(reply);
    const fields = this.headers_out;
    for (; this.#fields < fields.length; this.#fields++) {
      const { name, value } = fields[this.#fields] ?? {};
      if (name !== undefined && value !== undefined) this.#add(String(name), String(value));
    }
    if (this.body != null) this.#set_body(this.body);
  }

  #set_reply(reply) {
    if (!is_integer(reply)) throw new TypeError(`request.reply is ${String(reply)}, not a status`);
    if (!native.set_reply(this.#exchange, reply >= 0 && reply <= MOST_REPLY ? reply : MOST_REPLY)) {
      throw new RangeError(`request.reply cannot be ${reply}`);
    }
  }

  #add(name, value) {
    // The server frames the message; it wants to know how long what `read` gives will be.
    if (name.length === CONTENT_LENGTH.length && to_lower_case(name) === CONTENT_LENGTH) {
      const length = Number(value);
      this.#length = is_safe_integer(length) && length >= 0 ? length : undefined;
    } else {
      native.add_header(this.#exchange, name, value);
    }
  }

  #set_body(body) {
    if (this.reply === 0) {
      // A path of the host, or else one that a request could ask for.
      const path = well_formed(String(body));
      native.set_body_file(this.#exchange, native.find_file(path) ?? path);
    } else if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
      native.set_body_bytes(this.#exchange, body);
    } else {
      native.set_body(this.#exchange, String(body));
    }
  }
}

/** Where the script has called the engine: `myserver.js:3:5`. */
function place() {
  return /\((?!httpout:)([^()]+:\d+:\d+)\)/.exec(new Error().stack)?.[1];
}

function is_function(value) {
  return typeof value === 'function';
}
