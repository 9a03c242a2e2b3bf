//! The program's allocator keeps what it frees.
//!
//! A training step takes and frees the same large blocks again and again. Given back to the system,
//! each comes again as zeroed pages: on W1 that cost a fifth of the step's processor time, and
//! keeping them does not raise the peak. Libraries leave the allocator to the program; this is it.

/// mimalloc: kept up, fast on several threads, and it can be told not to give memory back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` in mimalloc.h, the same number in versions 2 and 3.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Tells the allocator to keep freed memory, unless `MIMALLOC_PURGE_DELAY` says otherwise.
#[expect(
    unsafe_code,
    reason = "mimalloc's options have no safe wrapper; the call sets one number"
)]
pub fn keep_freed_memory() {
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        // SAFETY: the function may be called at any time from any thread, ignores numbers that are
        // no option, and -1 is a documented value of this one.
        unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
    }
}
