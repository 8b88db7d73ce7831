//! Texts that scripts give the server: theirs are UTF-16, of which not all has UTF-8.

use crate::support::{Client, Server, Tree};

const SCRIPT: &str = r"
httpout.on_request = (request) => {
  if (request.path === '/field') {
    request.headers_out.push({ name: 'x-\ud800', value: 'no name' }, { name: 'x-ok', value: 'é' });
  }
  request.reply = 200;
  request.body = request.path === '/halves' ? 'a\ud800b\udc00\ud83d\ude00\ud7ff' : 'é😀';
  request.send();
};
";

#[test]
fn halves_of_surrogate_pairs_are_replaced() {
    let tree = Tree::new();
    tree.write("my.js", SCRIPT.as_bytes());
    let server = Server::start([&*tree.text("www"), "--js", &tree.text("my.js")]);
    let halves = Client::get(&server, "/halves");
    assert_eq!(halves.text(), "a\u{fffd}b\u{fffd}\u{1f600}\u{d7ff}");

    let field = Client::get(&server, "/field");
    assert_eq!((field.status, field.text()), (200, "é😀"));
    assert!(field.field("x-ok").is_some());
    server.wait_for_log("is not a field name");
}
