// The guest of the contract tests, as a script: it answers as guests/rust/conform does below `/conform/`.
import { Sys } from 'gpaccore';

const BLOCKS = 3;

/** The most that `/conform/refuse` takes, in bytes. */
const MOST = 10;

const block = (number) => `block ${number}\n`;
const lines = (pairs) => pairs.map(([name, value]) => `${name}=${value}\n`).join('');

function set_text(request, body) {
  request.reply = 200;
  request.headers_out.push({ name: 'content-type', value: 'text/plain; charset=utf-8' });
  request.body = body;
}

function text(request, body) {
  set_text(request, body);
  request.send();
}

/** Whether it is allowed. */
function is_taken(run) {
  try {
    return run() !== false;
  } catch {
    return false;
  }
}

function closed(error) {
  print(`closed with ${error}, status ${this.status}, ${this.bytes_sent} bytes`);
}

/** The blocks, one for each call that finds them ready. */
function blocks(request, is_ready = () => true) {
  let next = 0;
  request.reply = 200;
  request.read = (buffer) => {
    if (!is_ready()) return -1;
    if (next === BLOCKS) return 0;
    return new TextEncoder().encodeInto(block(next++), new Uint8Array(buffer)).written;
  };
}

/** What is written, and a reply that depends on it. */
function written(request, decide) {
  const received = [];
  request.reply = 200;
  request.write = (buffer) => {
    for (const byte of new Uint8Array(buffer ?? 0)) received.push(byte);
    decide(received, buffer === null);
  };
  return received;
}

function told(request, count) {
  request.reply = 201;
  request.body = `${count} bytes`;
}

const CASES = {
  facts: (request) => text(request, lines([
    ['method', request.method],
    ['url', request.target],
    ['path', request.path],
    ['scheme', request.tls ? 'https' : 'http'],
    ['authority', request.authority],
    ['protocol', request.protocol],
    ['peer', request.IP],
    ['local', request.local_address],
    ['auth-code', request.auth_code],
    ['user', request.user ?? ''],
    ['body-length', request.body_length ?? 'none'],
  ])),

  fields(request) {
    const twice = request.headers_in.filter(({ name }) => name === 'x-twice');
    request.headers_out.push({ name: 'x-out', value: twice[0].value });
    text(request, lines(twice.map(({ name, value }) => [name, value])));
  },

  config: (request) => text(request, lines([...config])),

  'error-string': (request) => text(request, error_string(-43)),

  bytes(request) {
    request.reply = 201;
    request.body = Uint8Array.of(0, 255, 10);
    request.send();
  },

  file(request) {
    request.body = '/hello.txt';
    request.send();
  },

  attribute(request) {
    request.set_attribute('who', 'conform');
    text(request, request.attribute('who'));
  },

  /** What a script is not told of is left out of the response. */
  setters(request) {
    const field = (name, value) => is_taken(() => new Headers([[name, value]]));
    const taken = [
      ['status 99', is_taken(() => { request.reply = 99; request.send(); })],
      ['name', field('not a name', 'x')],
      ['line break', field('x-a', 'a\r\nb: c')],
      ['beyond latin1', field('x-a', '\u2713')],
      ['file', Sys.file_exists('/../outside.txt')],
      ['field', field('X-Mixed-Case', 'fine')],
    ];
    request.headers_out.push(
      { name: 'not a name', value: 'x' }, { name: 'x-a', value: 'a\r\nb: c' }, { name: 'x-a', value: '\u2713' },
      { name: 'Content-Length', value: '5' }, { name: 'X-Mixed-Case', value: 'fine' });
    text(request, lines(taken));
  },

  twice(request) {
    set_text(request, 'once');
    const sent = [is_taken(() => request.send()), is_taken(() => request.send())];
    print(`sent ${sent[0]} then ${sent[1]}`);
  },

  count: (request) => text(request, state.increment('count')),

  read(request) {
    blocks(request);
    request.send();
  },

  length(request) {
    blocks(request);
    request.headers_out.push({ name: 'Content-Length', value: BLOCKS * block(0).length });
    request.close = closed;
    request.send();
  },

  pending(request) {
    blocks(request);
    let is_ready = false;
    blocks(request, () => {
      if (!is_ready) setTimeout(() => { is_ready = true; }, 1);
      return is_ready && !(is_ready = false);
    });
    request.send();
  },

  write(request) {
    written(request, (received, is_over) => {
      if (is_over) told(request, received.length);
    });
    request.send();
  },

  refuse(request) {
    written(request, (received, is_over) => {
      if (received.length > MOST) {
        request.reply = 413;
        request.body = 'too large';
      } else if (is_over) {
        told(request, received.length);
      }
    });
    request.send();
  },

  echo(request) {
    request.respond({ body: request });
  },

  throttle(request) {
    request.body = '/hello.txt';
    request.throttle = (done, total) => {
      print(`throttle ${done} of ${total}`);
      return 100;
    };
    request.close = closed;
    request.send();
  },

  timer(request) {
    setTimeout(text, 5, request, 'resumed');
  },

  async wait(request) {
    const key = `waiting/${request.id}`;
    const version = state.set(key, 'waits');
    request.close = closed;
    print(`waiting as ${request.id}`);
    await state.changed(key, version);
    text(request, 'resumed');
  },

  wake(request) {
    const key = `waiting/${new URL(request.target, 'http://it').searchParams.get('id')}`;
    text(request, state.delete(key));
  },

  never() {
    setTimeout(() => {}, 3_600_000);
  },

  fault() {
    throw new Error('this guest was told to');
  },

  'fault-in-read'(request) {
    let is_begun = false;
    request.reply = 200;
    request.read = (buffer) => {
      if (is_begun) throw new Error('this guest was told to, in read');
      is_begun = true;
      return new TextEncoder().encodeInto(block(0), new Uint8Array(buffer)).written;
    };
    request.send();
  },
};

httpout.on_request = (request) => {
  if (!request.path.startsWith('/conform/')) {
    request.headers_out.push({ name: 'x-conform', value: 'passed' });
    return request.send();
  }
  const answer = CASES[request.path.slice('/conform/'.length)];
  if (answer) return answer(request);
  request.reply = 404;
  request.send();
};
