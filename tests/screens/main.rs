//! The screen without a display: found by accessible label, drawn with real fonts and real pixels.

mod accidents;
mod flash;
mod layout;
mod lists;
mod privacy;
mod pump;
mod records;
mod staff;
mod theme;
mod touches;
mod tour;
mod typing;
mod words;

/// As in the program itself: what is freed is wiped, so what is found in memory is still held.
#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);
