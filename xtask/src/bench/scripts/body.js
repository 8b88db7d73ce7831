// A small answer that names what was asked for.

httpout.on_request = function (request) {
  request.reply = 200;
  request.headers_out.push({ name: 'content-type', value: 'text/plain' });
  request.body = `Hello from ${request.url}\n`;
  request.send();
};
