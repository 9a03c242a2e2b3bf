//! Event files of TensorBoard.
//!
//! A file is a sequence of records, each a protocol buffer: the version of the format, then the
//! start of a session, then scalars. Every process writes a file of its own; the start of its
//! session names its first step, at which TensorBoard drops what older files have from that step on.

mod message;
mod record;
mod writer;

pub use writer::TensorBoard;
