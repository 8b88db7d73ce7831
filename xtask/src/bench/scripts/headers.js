// What the document's first sample does for the client: a field is added, the server goes on.

httpout.on_request = function (request) {
  request.headers_out.push({ name: 'x-gpac', value: 'foo' });
  request.reply = 0;
  request.send();
};
