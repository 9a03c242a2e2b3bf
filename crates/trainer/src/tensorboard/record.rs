//! Framing: the records of a TFRecord file.

/// What TensorFlow adds to a rotated checksum, since a checksum of data that holds its own checksum
/// says little.
const MASK_DELTA: u32 = 0xa282_ead8;

/// A record: its length, the checksum of the length, the data, the checksum of the data; numbers
/// are little-endian.
pub(super) fn frame(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + 16);
    record.extend(length);
    record.extend(masked_crc32c(&length).to_le_bytes());
    record.extend(data);
    record.extend(masked_crc32c(data).to_le_bytes());
    record
}

fn masked_crc32c(data: &[u8]) -> u32 {
    crc32c::crc32c(data)
        .rotate_right(15)
        .wrapping_add(MASK_DELTA)
}
