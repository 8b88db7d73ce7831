//! The table: one row for each option.
//!
//! The documented ones come first, in the order of the document.

use crate::choice::{Choices, Cors, Hmode, Log, PluginFail};
use crate::error::UsageError;
use crate::place::Place;
use crate::plugin::Plugin;
use crate::row::{Group, Kind, Level, Origin, Row, State};
use crate::table::{choices_of, default_of, kind_of, options, type_of};
use crate::value::{self, Form, Value};

options! {
    Documented {
        // name          kind            default   value             level    state   group     help
        dst               cstr          = -         "URL"             Basic    Ready   Media     "URL or file to send to, the same as `-o`"
        port              uintl         = "0"       "PORT,..."        Basic    Ready   Network   "ports to listen on; with TLS the first of several is plain HTTP; unless given, that of `-o`, or 80, or 443 with TLS; a given 0 takes any free port"
        ifce              str           = -         "NAME"            Advanced Ready   Network   "network interface to use, by name or address"
        rdirs             strl          = -         "DIR,..."         Basic    Ready   Files     "directories to read from; inputs are written to the first; `gmem` keeps what is written in memory; a rules file sets names and rights"
        wdir              str           = -         "DIR"             Basic    Ready   Files     "directory that clients may write to, made if it is not there; they can read what lies in `rdirs` too"
        cert              str           = -         "FILE"            Basic    Ready   Network   "certificate for TLS and those that lead to its authority, a PEM file"
        pkey              str           = -         "FILE"            Basic    Ready   Network   "private key for TLS, a PEM file, which may be that of `cert`"
        block_size        uint          = "10000"   "BYTES"           Advanced Ready   Network   "bytes to read or write at once, 1024 to 16M; unless given, sizes that are fast"
        user_agent        str           = "$GUA"    "NAME"            Basic    Ready   Responses "`Server` of responses, `User-Agent` of uploads; `$GUA` is the product's own name"
        close             bool          = "false"   ""                Advanced Ready   Network   "close the connection after each request"
        maxc              uint          = "100"     "N"               Advanced Ready   Limits    "connections at a time, 0 for no limit"
        maxp              uint          = "6"       "N"               Advanced Ready   Limits    "connections of one peer at a time, 0 for no limit"
        cache_control     str           = -         "TEXT"            Advanced Ready   Responses "value of `Cache-Control`; `none` sends neither that nor an ETag"
        hold              bool          = "false"   ""                Advanced Ready   Media     "wait with the input until the first client is there"
        hmode             choice<Hmode> = "default" "MODE"            Advanced Planned Media     "side of HTTP to take; `wdir` overrules it"
        timeout           uint          = "30"      "SECONDS"         Advanced Ready   Limits    "seconds a connection may be idle, 0 for no limit"
        ext               cstr          = -         "EXT"             Advanced Ready   Media     "extension to go by, whatever that of the URL"
        mime              cstr          = -         "TYPE"            Advanced Ready   Media     "media type to go by, whatever the extension says"
        quit              bool          = "false"   ""                Advanced Ready   Operation "exit when all inputs have ended and the clients are gone"
        post              bool          = "false"   ""                Advanced Planned Media     "upload with POST, not PUT"
        dlist             bool          = "false"   ""                Advanced Ready   Files     "list the files of a directory on GET, as a page, or as JSON where `Accept` prefers it"
        sutc              bool          = "false"   ""                Advanced Ready   Responses "send the clock of the server as `Server-UTC`, in milliseconds"
        cors              choice<Cors>  = "auto"    "MODE"            Advanced Ready   Responses "allow pages of other origins to read responses, and with `on` to write"
        reqlog            str           = -         "METHOD,..."      Advanced Ready   Operation "methods to log requests of, comma separated; `*` for all, `REC` for files written, a leading `-` for no line at the end"
        ice               bool          = "false"   ""                Advanced Ready   Media     "send ICE metadata fields with live streams"
        max_client_errors uint          = "20"      "N"               Advanced Ready   Limits    "errors in a row that end an HTTP/1.1 connection, 0 for no limit"
        max_cache_segs    sint          = "5"       "N"               Advanced Ready   Files     "segments kept of each quality: in `gmem` N, or fewer if the time-shift buffer has fewer; of inputs on disk no fewer than it has, -N is N, 0 is all"
        reopen            bool          = "false"   ""                Advanced Ready   Media     "answer requests for a file that was sent while its input goes on"
        max_async_buf     uint          = "100000"  "BYTES"           Advanced Ready   Limits    "bytes that a client of a live stream may fall behind"
        blockio           bool          = "false"   ""                Advanced Ready   Media     "let inputs wait for slow clients"
        ka                bool          = "true"    ""                Advanced Planned Media     "go on with the input when an upload fails"
        hdrs              strl          = -         "NAME,VALUE,..."  Advanced Ready   Responses "fields to add to responses: name, value, name, value"
        js                str           = -         "FILE"            Advanced Ready   Plugins   "JavaScript file that decides about requests, `FILE.js?key=value&...`, asked behind those of option `plugin`"
        zmax              uint          = "50000"   "BYTES"           Advanced Ready   Responses "largest text file to compress, in bytes, 0 for none"
        cte               bool          = "true"    ""                Advanced Ready   Responses "use chunked transfer coding where possible: files are readable while they grow"
        maxs              uint          = "50M"     "BYTES"           Advanced Ready   Limits    "largest upload, in bytes, 0 for no limit"
        norange           bool          = "false"   ""                Advanced Ready   Responses "ignore byte ranges in GET and send the whole"
    }
    Own {
        burst             uint          = "0"       "BYTES"           Advanced Ready   Media     "latest bytes of a live stream that a client gets at once when it comes, so that players start sooner"
        splice            bool          = "true"    ""                Advanced Ready   Media     "let a live DASH manifest go on where it was when its encoder is started again, and players ask for it every 2 s to come back"
        users             str           = -         "FILE"            Basic    Planned Operation "file of users and their passwords"
        gmem_max          uint          = "1G"      "BYTES"           Advanced Ready   Limits    "what all files in `gmem` take together, in bytes, 0 for no limit; further uploads are answered 507"
        plugin            repeated      = -         "FILE"            Basic    Ready   Plugins   "component or script (`.js`) that decides about requests, `FILE.wasm?key=value&...`; given again it adds one, asked in that order"
        plugin_dirs       strl          = -         "DIR,..."         Advanced Ready   Plugins   "directories plugins may read; `DIR:rw` to write too; guests find them by these names"
        plugin_allow      strl          = -         "HOST,..."        Advanced Ready   Plugins   "servers plugins may ask: `[http://|https://]HOST[:PORT|:*]`, HOST a name, `*.NAME`, an address or a network; private ones by address only"
        plugin_reuse      uint          = "0"       "N"               Advanced Ready   Plugins   "further requests that an instance may answer, one after another; 0 for a fresh instance each time"
        plugin_memory     uint          = "64M"     "BYTES"           Advanced Ready   Plugins   "linear memories of one instance together, in bytes"
        plugin_timeout    uint          = "1000"    "MS"              Advanced Ready   Plugins   "milliseconds one call may take"
        plugin_patience   uint          = "3600"    "SECONDS"         Advanced Ready   Plugins   "longest time that a plugin may ask for in place of `timeout`, for a request that waits long"
        plugin_table      uint          = "20000"   "N"               Advanced Ready   Plugins   "elements of the tables of one instance together"
        plugin_handles    uint          = "1000"    "N"               Advanced Ready   Plugins   "handles that one instance may hold: timers, files, streams"
        plugin_stack      uint          = "512k"    "BYTES"           Advanced Ready   Plugins   "stack of one instance, in bytes"
        plugin_fields     uint          = "100"     "N"               Advanced Ready   Plugins   "fields that a plugin may add to a response"
        plugin_fields_size uint         = "32768"   "BYTES"           Advanced Ready   Plugins   "names and values of those fields, in bytes"
        plugin_body       uint          = "16M"     "BYTES"           Advanced Ready   Plugins   "body that a plugin may set at once, in bytes"
        plugin_log        uint          = "64k"     "BYTES"           Advanced Ready   Plugins   "bytes that a plugin may write into the log in a second"
        plugin_fetches    uint          = "100"     "N"               Advanced Ready   Plugins   "requests that a plugin may have under way to other servers"
        plugin_fetch_size uint          = "16M"     "BYTES"           Advanced Ready   Plugins   "body of a response of another server, in bytes"
        plugin_instances  uint          = "1000"    "N"               Advanced Ready   Plugins   "instances of plugins at a time, 1 to 10000"
        plugin_wait       uint          = "1000"    "MS"              Advanced Ready   Plugins   "milliseconds a request waits where all instances are in use, then it is answered 503; 0 does not wait"
        plugin_fail       choice<PluginFail> = "closed" "MODE"        Advanced Ready   Plugins   "what becomes of requests while a plugin fails again and again: `closed` answers 503, `open` goes on without the plugin"
        plugin_cache      str           = -         "DIR"             Advanced Ready   Plugins   "directory for compiled plugins; `none` compiles them at each start; unless given, `httpout` in the user's cache directory"
        plugin_state      str           = -         "FILE"            Advanced Ready   Plugins   "file that keeps the state of plugins over restarts"
        plugin_state_size uint          = "16M"     "BYTES"           Advanced Ready   Plugins   "state that a plugin may keep, in bytes, 0 for none"
        player            bool          = "false"   ""                Basic    Ready   Media     "show a page at `/_/player` that plays what is live here, tells how far behind it is, and how to push to it"
        metrics           str           = -         "PATH"            Advanced Ready   Operation "path of a page of metrics in the text form of Prometheus, such as `/_/metrics`"
        config            str           = -         "FILE"            Basic    Ready   Operation "configuration file in TOML, which can say all that the command line can; the command line goes before it"
        log               choice<Log>   = "info"    "LEVEL"           Basic    Ready   Operation "how much the server says"
    }
}
