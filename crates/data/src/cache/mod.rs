//! Token ids of any number of texts: in memory while they are few, else in a file that is mapped into memory.
//!
//! ```text
//! file = header (112 bytes) | ids, 2 or 4 bytes each, filled up to 8 | ends, 8 bytes a row     all little-endian
//! ```
//!
//! The ids of row `r` are those from `ends[r - 1]` (0 for the first) up to `ends[r]`. A file is written under another
//! name and renamed when it is whole; it carries a key of what it was made from and a hash of all of it, and one that is
//! not exactly right is made again, never believed.

mod folder;
mod header;
mod rows;
mod writer;

pub use folder::TokenCache;
pub(crate) use folder::make_private;
pub use rows::TokenRows;
pub(crate) use rows::map;
pub use writer::TokenRowsWriter;
