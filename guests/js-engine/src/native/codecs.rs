//! What GPAC's `Sys` encodes: base 64, base 16, zlib, CRC-32.

use base64::Engine as _;
use base64::engine::GeneralPurposeConfig;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use base64::{alphabet, engine::DecodePaddingMode};
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use rquickjs::{ArrayBuffer, Ctx, Exception, Object, Result};

use super::add_functions;
use super::bytes::Bytes;

/// The largest content that is decompressed: a small text must not take all memory.
const DECOMPRESSED: usize = 16 << 20;

pub(super) fn add_to(native: &Object<'_>) -> Result<()> {
    add_functions!(native, base64_encode base64_decode base16_encode base16_decode crc32 compress decompress);
    Ok(())
}

fn base64_encode(bytes: Bytes) -> String {
    STANDARD.encode(bytes.0)
}

/// With or without padding, as people write it.
fn base64_decode(ctx: Ctx<'_>, text: String) -> Result<ArrayBuffer<'_>> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let lenient = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    let text: String = text.split_ascii_whitespace().collect();
    let bytes = lenient.decode(text);
    let bytes = bytes.map_err(|_| Exception::throw_type(&ctx, "this is not base 64"))?;
    ArrayBuffer::new(ctx, bytes)
}

fn base16_encode(bytes: Bytes) -> String {
    bytes.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base16_decode(ctx: Ctx<'_>, text: String) -> Result<ArrayBuffer<'_>> {
    let pairs = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect();
    let bytes = bytes.ok_or_else(|| Exception::throw_type(&ctx, "this is not base 16"))?;
    ArrayBuffer::new(ctx, bytes)
}

fn crc32(bytes: Bytes) -> f64 {
    f64::from(crc32fast::hash(&bytes.0))
}

fn compress(ctx: Ctx<'_>, bytes: Bytes) -> Result<ArrayBuffer<'_>> {
    const LEVEL: u8 = 6;
    ArrayBuffer::new(ctx, compress_to_vec_zlib(&bytes.0, LEVEL))
}

fn decompress(ctx: Ctx<'_>, bytes: Bytes) -> Result<ArrayBuffer<'_>> {
    let content = decompress_to_vec_zlib_with_limit(&bytes.0, DECOMPRESSED);
    let content =
        content.map_err(|error| Exception::throw_range(&ctx, &format!("zlib: {error}")))?;
    ArrayBuffer::new(ctx, content)
}
