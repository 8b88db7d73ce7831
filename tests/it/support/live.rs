//! Uploads that are under way.

use crate::support::{Client, Response, Server, Tree};

/// A server of one directory that clients write to and read from.
pub(crate) struct Live {
    pub(crate) tree: Tree,
    pub(crate) server: Server,
}

impl Live {
    pub(crate) fn start(options: &[&str]) -> Live {
        let tree = Tree::new();
        let www = tree.text("www");
        Live::start_in(tree, &www, options)
    }

    /// The same, with an empty directory in memory.
    pub(crate) fn in_memory(options: &[&str]) -> Live {
        Live::start_in(Tree::new(), "gmem", options)
    }

    /// The same over TLS.
    pub(crate) fn secure() -> Live {
        let tree = Tree::new();
        tree.write_certificate();
        let [cert, pkey] = ["cert", "pkey"].map(|name| {
            let file = tree.text(&format!("{name}.pem"));
            format!("--{name}={file}")
        });
        Live::start_in(tree, "gmem", &["--maxs=0", "--splice=no", &cert, &pkey])
    }

    fn start_in(tree: Tree, directory: &str, options: &[&str]) -> Live {
        let fixed = [
            format!("--rdirs={directory}"),
            format!("--wdir={directory}"),
            "--reqlog=*".to_owned(),
        ];
        let options = options.iter().map(|option| (*option).to_owned());
        let server = Server::start(fixed.into_iter().chain(options));
        Live { tree, server }
    }

    /// Begins a chunked upload.
    pub(crate) fn begin(&self, name: &str) -> Client {
        self.begin_with(name, "Transfer-Encoding: chunked")
    }

    pub(crate) fn begin_with(&self, name: &str, field: &str) -> Client {
        let line = format!("Opening output {name}\n");
        let opened = self.server.log().matches(&line).count();
        let mut client = Client::connect(&self.server);
        client.send(&format!(
            "PUT /{name} HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n"
        ));
        self.server.wait_for_times(&line, opened + 1);
        client
    }

    /// Asks for a name, and reads the head of the answer.
    pub(crate) fn follow(&self, name: &str, fields: &str) -> (Client, Response) {
        let mut client = Client::connect(&self.server);
        client.send(&format!("GET /{name} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
        let head = client.read_head();
        (client, head)
    }

    pub(crate) fn end(&self, mut upload: Client, status: u16) {
        upload.send_chunk(b"");
        assert_eq!(upload.read_response("PUT").status, status);
    }
}
