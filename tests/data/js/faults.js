// Everything that goes wrong, one thing for each path.
let kept = [];

function inner(request) {
  return request.missing.field;
}

const answer = (request, body) => { request.reply = 200; request.body = body; request.send(); };

const FAULTS = {
  '/throw': (request) => inner(request),
  '/value': () => { throw { code: 1 }; },
  '/rejected': async (request) => { await null; inner(request); },
  '/unhandled': (request) => { Promise.reject(new RangeError('nobody looks')); answer(request, 'too early'); },
  '/timer': (request) => { setTimeout(function tick() { inner(request); }, 1); },
  '/never': () => {},
  '/twice': (request) => { answer(request, 'once'); request.send(); },
  '/late': (request) => { answer(request, 'once'); try { request.send(); } catch (error) { print(`caught ${error}`); } },
  '/status': (request) => { request.reply = 99; request.send(); },
  '/reply': (request) => { request.reply = 'fine'; request.send(); },
  '/loop': () => { for (;;); },
  '/redos': () => /^(a+)+$/.test('a'.repeat(50) + 'b'),
  '/jobs': () => { const again = () => Promise.resolve().then(again); again(); },
  '/recursion': () => { (function deeper() { deeper(); })(); },
  '/caught': (request) => { let depth = 0; const deeper = () => { depth++; deeper(); }; try { deeper(); } catch (error) { answer(request, `${error.name} ${depth > 500}`); } },
  '/json': (request) => { try { JSON.parse('['.repeat(1e6)); } catch (error) { answer(request, error.name); } },
  '/buffers': () => { for (;;) kept.push(new Uint8Array(1 << 20)); },
  '/objects': () => { for (;;) kept.push({ x: [kept.length] }); },
  '/string': () => { for (let text = 'x'; ; text += text); },
  '/prototype': (request) => { Object.prototype.polluted = true; Array.prototype.push = null; answer(request, String({}.polluted)); },
  '/clean': (request) => answer(request, `${{}.polluted} ${kept.length}`),
  '/import': (request) => { import('./faults-missing.js').catch((error) => answer(request, String(error))); },
  '/read': (request) => { request.reply = 200; request.read = () => inner(request); request.close = (code) => print(`closed ${code}`); request.send(); },
  '/too-much': (request) => { request.reply = 200; request.read = (buffer) => buffer.byteLength + 1; request.send(); },
  '/promised': (request) => { request.reply = 200; request.read = async () => 1; request.send(); },
  '/throttle': (request) => { request.reply = 200; request.body = 'x'; request.throttle = () => inner(request); request.send(); },
  '/close': (request) => { request.close = () => inner(request); answer(request, 'sent whole'); },
};

httpout.on_request = (request) => (FAULTS[request.path] ?? ((it) => it.send()))(request);
