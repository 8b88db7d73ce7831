// One way to reply for each path.
import { SHA1, Sys } from 'gpaccore';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function answer(request, body, reply = 200) {
  request.reply = reply;
  request.body = body;
  request.send();
}

const REPLIES = {
  '/facts': (request) => answer(request, JSON.stringify(request)),
  '/query': (request) => answer(request, [request.url, request.path, request.target].join('\n')),
  '/fields': (request) => {
    request.headers_out.push({ name: 'x-latin1', value: 'caf\u00e9' }, { name: 'X-A', value: 1 }, { name: 'x-only-a-name' });
    request.headers_out.push({ name: 'x-bad', value: 'a\r\nx-forged: 1' }, { name: 'Connection', value: 'close' });
    answer(request, request.headers_in.filter(({ name }) => name.startsWith('x-')).map(({ name, value }) => `${name}=${value}`).join());
  },
  '/bytes': (request) => answer(request, Uint8Array.of(0, 255, 10), 201),
  '/buffer': (request) => answer(request, new Uint8Array([1, 2, 3]).buffer),
  '/empty': (request) => answer(request, undefined, 204),
  '/timer': (request) => { setTimeout(answer, 2, request, 'after a timer'); },
  '/promise': async (request) => { await sleep(1); await sleep(1); answer(request, 'after promises'); },
  '/interval': (request) => {
    let count = 0;
    const id = setInterval(() => { if (++count === 3) { clearInterval(id); answer(request, `after ${count} intervals`); } }, 1);
  },
  '/order': (request) => {
    const order = [];
    const cleared = setTimeout(() => order.push('cleared'), 1);
    setTimeout(() => { order.push('second'); answer(request, order.join()); }, 4);
    setTimeout(() => order.push('first'), 2);
    queueMicrotask(() => order.push('microtask'));
    clearTimeout(cleared);
    order.push('at once');
  },
  '/task': (request) => {
    let count = 0;
    session.post_task(() => { if (++count === 3) { answer(request, `after ${count} tasks`); return false; } return count === 1 ? true : 1; }, 'task');
  },
  '/random': (request) => answer(request, `${Math.random()} ${crypto.getRandomValues(new Uint32Array(2))}`),
  '/pieces': (request) => {
    let calls = 0;
    request.reply = 200;
    request.read = (buffer) => {
      calls += 1;
      if (calls === 7) return 0;
      if (calls % 2) return -1;
      new Uint8Array(buffer).fill(64 + calls, 0, 3);
      return 3;
    };
    request.close = (code) => print(`closed ${code} after ${calls} calls`);
    request.send();
  },
  '/length': (request) => {
    request.headers_out.push({ name: 'Content-Length', value: '4' });
    request.reply = 200;
    request.read = (buffer) => { new Uint8Array(buffer).fill(65, 0, 2); return 2; };
    request.send();
  },
  '/slow': (request) => {
    request.throttle = (done, total) => { print(`throttle ${done} of ${total}`); return 10; };
    answer(request, 'paced');
  },
  '/upload': (request) => {
    const hash = new SHA1();
    request.reply = 200;
    request.write = (buffer) => {
      if (buffer) return hash.push(buffer);
      request.reply = 201;
      request.headers_out.push({ name: 'x-after', value: 'the body' });
      request.body = Sys.base16enc(hash.get());
    };
    request.send();
  },
  '/refuse': (request) => {
    let count = 0;
    request.reply = 201;
    request.write = (buffer) => {
      count += buffer?.byteLength ?? 0;
      request.reply = count > 10 ? 413 : 201;
      request.body = `${count} bytes`;
    };
    request.send();
  },
  '/levels': (request) => {
    print(GF_LOG_WARNING, 'a warning', 1);
    console.error('an error', { a: 1 });
    print('two\nlines');
    answer(request, 'logged');
  },
};

httpout.on_request = (request) => {
  const reply = REPLIES[request.path];
  return reply ? reply(request) : request.send();
};
