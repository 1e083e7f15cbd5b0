//! Where this process has its memory from.

// The proxy path allocates per connection; mimalloc takes 5 to 25 % less CPU there than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Gives what the calling thread has freed back to the operating system: mimalloc does so only while it is used, so that a
/// gateway at rest would keep for ever what a burst took.
pub fn give_back() {
    // SAFETY: it has no preconditions; it works on the calling thread's own heap and on what no thread holds.
    #[allow(unsafe_code)]
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}
