//! The contract in Rust: generated from `wit/`, here and nowhere else.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "httpout:plugin/any-plugin",
    with: {
        "wasi:http": wasmtime_wasi_http::p2::bindings::http,
        "wasi": wasmtime_wasi::p2::bindings,
        "httpout:plugin/http.exchange": crate::store::ExchangeHandle,
    },
    imports: { default: trappable },
    exports: { default: async },
});
