//! How the kernel gives this process memory.

/// Keeps memory in small pages. Transparent huge pages cost a gateway at rest some 18 MB that nothing stands in, and hold on
/// to what a burst took for as long as one byte in two megabytes is used; calls are as quick without.
///
/// # Errors
/// The kernel refuses: everything works, and takes more memory.
pub fn keep_small() -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_thp_disable(true)?;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn huge_pages_are_off_from_then_on() {
        super::keep_small().unwrap();
        assert!(nix::sys::prctl::get_thp_disable().unwrap());
    }
}
