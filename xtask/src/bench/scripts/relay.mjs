// What people write for themselves: an upload is passed on to all who read it, chunk by chunk.

import { createServer } from 'node:http';

const uploads = new Map();

createServer((request, response) => {
  const name = request.url;
  if (request.method === 'PUT') {
    const upload = { chunks: [], readers: new Set(), ended: false };
    uploads.set(name, upload);
    request.on('data', (chunk) => {
      upload.chunks.push(chunk);
      for (const reader of upload.readers) reader.write(chunk);
    });
    request.on('end', () => {
      upload.ended = true;
      for (const reader of upload.readers) reader.end();
      response.writeHead(201).end();
    });
  } else if (request.method === 'DELETE') {
    response.writeHead(uploads.delete(name) ? 200 : 404).end();
  } else {
    const upload = uploads.get(name);
    if (!upload) return response.writeHead(404).end();
    response.writeHead(200);
    response.flushHeaders();
    for (const chunk of upload.chunks) response.write(chunk);
    if (upload.ended) return response.end();
    upload.readers.add(response);
    response.on('close', () => upload.readers.delete(response));
  }
}).listen(0, '127.0.0.1', function () {
  console.log(`listening on http://127.0.0.1:${this.address().port}/`);
});
