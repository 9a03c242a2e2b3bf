//! A map as a picture that needs no script: a PNG without compression.

use super::encode::base64;

/// A colour that can be seen on light and on dark paper; the weight is its opacity.
const COLOUR: [u8; 3] = [0x4a, 0x86, 0xd8];

/// A square of bytes as the address of a picture.
pub(super) fn address(bytes: &[u8], side: usize) -> String {
    format!("data:image/png;base64,{}", base64(&png(bytes, side)))
}

/// A PNG of `side` times `side` pixels with a palette of opacities
/// (<https://www.w3.org/TR/png-3/>).
fn png(bytes: &[u8], side: usize) -> Vec<u8> {
    let size = u32::try_from(side).unwrap_or(u32::MAX).to_be_bytes();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    // 8 bits a pixel, a palette, the standard compression and filters, not interlaced.
    chunk(
        &mut file,
        b"IHDR",
        &[&size[..], &size, &[8, 3, 0, 0, 0]].concat(),
    );
    chunk(&mut file, b"PLTE", &COLOUR.repeat(256));
    chunk(&mut file, b"tRNS", &(0..=255).collect::<Vec<u8>>());
    // Each line begins with its filter: none.
    let lines: Vec<u8> = bytes
        .chunks(side.max(1))
        .flat_map(|line| std::iter::once(0).chain(line.iter().copied()))
        .collect();
    chunk(&mut file, b"IDAT", &stored(&lines));
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    let start = file.len();
    file.extend(kind);
    file.extend(data);
    let sum = crc32(&file[start..]);
    file.extend(sum.to_be_bytes());
}

/// A zlib stream of blocks that are stored as they are (RFC 1950 and 1951).
fn stored(data: &[u8]) -> Vec<u8> {
    const LONGEST: usize = u16::MAX as usize;
    let mut stream = vec![0x78, 0x01];
    let n_blocks = data.len().div_ceil(LONGEST).max(1);
    for i in 0..n_blocks {
        let block = &data[i * LONGEST..data.len().min((i + 1) * LONGEST)];
        let len = block.len() as u16;
        stream.push(u8::from(i + 1 == n_blocks));
        stream.extend(len.to_le_bytes());
        stream.extend((!len).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler32(data).to_be_bytes());
    stream
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

fn adler32(data: &[u8]) -> u32 {
    let (a, b) = data.iter().fold((1, 0), |(a, b): (u32, u32), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b"IEND"), 0xae42_6082);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn a_stream_longer_than_a_block_is_stored_in_several() {
        let data = vec![7; 70_000];
        let stream = stored(&data);
        assert_eq!(stream.len(), 2 + 2 * 5 + 70_000 + 4);
        assert_eq!(stream[2..7], [0, 0xff, 0xff, 0, 0]);
        let second = 2 + 5 + 65_535;
        assert_eq!(stream[second], 1, "the last one");
        assert_eq!(
            stream[second + 1..second + 3],
            (70_000_u32 - 65_535).to_le_bytes()[..2]
        );
    }

    #[test]
    fn a_picture_is_a_png_of_its_size() {
        let file = png(&[0, 255, 128, 1], 2);
        assert_eq!(&file[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(&file[12..16], b"IHDR");
        assert_eq!(file[16..24], [0, 0, 0, 2, 0, 0, 0, 2]);
        assert!(address(&[1], 1).starts_with("data:image/png;base64,iVBORw0KGgo"));
    }
}
