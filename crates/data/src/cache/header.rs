//! The first bytes of a token cache.

/// What every token cache begins with.
const MAGIC: [u8; 8] = *b"RGRDTOKS";
/// Another version is made again, not read.
const VERSION: u32 = 1;
/// The length of a header.
pub(super) const HEADER_BYTES: usize = 112;
/// Where the hash stands: it is of everything before and behind it.
const HASH_AT: usize = HEADER_BYTES - 32;

/// What a token cache says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Bytes of an id: 2 or 4.
    pub width: usize,
    pub rows: u64,
    pub ids: u64,
    /// Rows whose text was cut off.
    pub truncated: u64,
    /// What the ids were made from.
    pub key: [u8; 32],
}

impl Header {
    /// Where the ids end and the ends of rows begin; none if the numbers are beyond any file.
    pub(super) fn ends_at(&self) -> Option<u64> {
        self.ids
            .checked_mul(self.width as u64)?
            .checked_next_multiple_of(8)?
            .checked_add(HEADER_BYTES as u64)
    }

    /// The length of the whole file.
    pub(super) fn file_bytes(&self) -> Option<u64> {
        self.ends_at()?.checked_add(self.rows.checked_mul(8)?)
    }

    /// Everything but the hash.
    fn fields(&self) -> [u8; HASH_AT] {
        let mut bytes = [0; HASH_AT];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&(self.width as u32).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.rows.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.ids.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.truncated.to_le_bytes());
        // 40..48 stay zero.
        bytes[48..80].copy_from_slice(&self.key);
        bytes
    }

    /// The header of a file whose content behind it has this hash.
    pub(super) fn to_bytes(self, content: &blake3::Hash) -> [u8; HEADER_BYTES] {
        let fields = self.fields();
        let mut bytes = [0; HEADER_BYTES];
        bytes[..HASH_AT].copy_from_slice(&fields);
        bytes[HASH_AT..].copy_from_slice(whole_hash(&fields, content).as_bytes());
        bytes
    }

    /// Reads a header that promises exactly `file_bytes`; none if it is of no such file.
    pub(super) fn of(bytes: &[u8; HEADER_BYTES], file_bytes: u64) -> Option<Self> {
        let number = |at: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(number)
        };
        let mut key = [0; 32];
        key.copy_from_slice(&bytes[48..80]);
        let width = (number(8) >> 32) as usize;
        let header = Self {
            width,
            rows: number(16),
            ids: number(24),
            truncated: number(32),
            key,
        };
        // Magic, version and the bytes that stay zero: what is read must be what would be written.
        let is_ours = header.fields() == bytes[..HASH_AT] && matches!(width, 2 | 4);
        (is_ours && header.file_bytes() == Some(file_bytes)).then_some(header)
    }

    /// Whether the hash in `bytes`, this header's, is that of the file.
    pub(super) fn has_hash(bytes: &[u8; HEADER_BYTES], content: &blake3::Hash) -> bool {
        let (fields, hash) = bytes.split_at(HASH_AT);
        // In constant time, which costs nothing here.
        whole_hash(fields, content) == *<&[u8; 32]>::try_from(hash).unwrap_or(&[0; 32])
    }
}

fn whole_hash(fields: &[u8], content: &blake3::Hash) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_derive_key("Regard token cache, version 1");
    hasher.update(fields);
    hasher.update(content.as_bytes());
    hasher.finalize()
}
