// What comes from a source goes to all clients.
const net = require('net');
const http = require('http');
const [source, port] = process.argv.slice(2).map(Number);
const clients = new Set();
http.createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'video/mp2t' });
  clients.add(response);
  response.on('close', () => clients.delete(response));
}).listen(port, '127.0.0.1', 1024);
net.connect(source, '127.0.0.1').on('data', (data) => {
  for (const client of clients) client.write(data);
});
