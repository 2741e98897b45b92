//! Compressed messages, compared with miniz_oxide.

use harpia::fuzz::Inflated;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// Checks that miniz_oxide decompresses the payload to the same message, or fails too, and that each
/// decompresses what the other has compressed.
///
/// The two differ on damaged payloads:
///
/// - Both accept a payload that ends inside a block, but zlib checks the codes of the block only
///   when it reads them. So harpia must fail if more data follows.
/// - miniz_oxide accepts a block with a single code that is longer than one bit. zlib accepts only a
///   code of one bit (RFC 1951 section 3.2.7).
pub(crate) fn compare(inflated: &Inflated<'_>) {
    let theirs = inflate(inflated.sent, inflated.max_message);
    match (&inflated.message, theirs) {
        (Ok(ours), Some(theirs)) => assert_eq!(ours, &theirs),
        (Ok(_), None) => {
            let longer = [b"0", inflated.sent, &TAIL, &[0xff; 512]].concat();
            assert!(harpia::fuzz::deflate(&longer).message.is_err());
        }
        (Err(rule), Some(_)) => assert_eq!(*rule, "Damaged Compressed Data"),
        (Err(_), None) => {}
    }
    let compressed = [&b"0"[..], &compress_to_vec(inflated.sent, 6)].concat();
    let original = harpia::fuzz::deflate(&compressed).message;
    assert_eq!(original.as_deref(), Ok(inflated.sent));
    if let Some(compressed) = &inflated.compressed {
        let original = inflate(compressed, inflated.sent.len());
        assert_eq!(original.as_deref(), Some(inflated.sent));
    }
}

/// The end of a message, which its sender leaves out (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Decompresses the payload of a message, or returns `None` if it is damaged or too long.
fn inflate(payload: &[u8], max_message: usize) -> Option<Vec<u8>> {
    const FLAGS: u32 = TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let payload = [payload, &TAIL].concat();
    let mut input = &payload[..];
    let mut output = vec![0; max_message + 1];
    let mut length = 0;
    let mut start = 0;
    let mut stream = Box::<DecompressorOxide>::default();
    loop {
        let output = &mut output[start..];
        let (status, taken, written) =
            decompress(&mut stream, input, output, length - start, FLAGS);
        input = &input[taken..];
        length += written;
        match status {
            // A final block. Another stream may follow (RFC 7692 section 7.2.3.4).
            TINFLStatus::Done if !input.is_empty() => {
                stream.init();
                start = length;
            }
            TINFLStatus::Done | TINFLStatus::NeedsMoreInput => break,
            _ => return None,
        }
    }
    output.truncate(length);
    (length <= max_message).then_some(output)
}
