// What comes from a source goes to all clients: `node fan_out.mjs SOURCE_PORT`.

import { connect } from 'node:net';
import { createServer } from 'node:http';

const clients = new Set();

connect(Number(process.argv[2]), '127.0.0.1').on('data', (data) => {
  for (const client of clients) client.write(data);
});

createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'video/mp2t' });
  response.flushHeaders();
  clients.add(response);
  response.on('close', () => clients.delete(response));
}).listen({ host: '127.0.0.1', port: 0, backlog: 1024 }, function () {
  console.log(`listening on http://127.0.0.1:${this.address().port}/`);
});
