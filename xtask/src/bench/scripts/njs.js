// `headers.js` and `body.js` for nginx.

function headers(request) {
  request.headersOut['x-gpac'] = 'foo';
}

function body(request) {
  request.headersOut['content-type'] = 'text/plain';
  request.return(200, `Hello from ${request.uri}\n`);
}

export default { headers, body };
