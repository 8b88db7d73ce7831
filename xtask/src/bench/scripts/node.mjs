// `headers.js` and `body.js` for node: `node node.mjs headers|body FOLDER`.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [name, folder] = process.argv.slice(2);

const answers = {
  // Of a small file, reading it at once takes node a third of what its asynchronous functions do.
  headers(request, response) {
    response.setHeader('x-gpac', 'foo');
    response.end(readFileSync(folder + request.url));
  },

  body(request, response) {
    response.setHeader('content-type', 'text/plain');
    response.end(`Hello from ${request.url}\n`);
  },
};

createServer(answers[name]).listen(0, '127.0.0.1', function () {
  console.log(`listening on http://127.0.0.1:${this.address().port}/`);
});
