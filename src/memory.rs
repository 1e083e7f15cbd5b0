//! Where this process has its memory from, and how it gives it back.

use std::cell::Cell;
use std::ops::Range;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use rustix::mm::{Advice, madvise};

/// How long a thread keeps what it freed, at least.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(5);

// The proxy path allocates per connection; mimalloc takes 5 to 25 % less CPU there than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long memory that nobody holds waits to be used again, in milliseconds. After mimalloc's own 1,000 a gateway that had
/// loaded a hundred thousand keys kept 15 MB of what that took, whatever it collected later.
const PURGE_DELAY_MS: std::ffi::c_long = 10;
/// `mi_option_purge_delay` of `mimalloc.h`, which the crate does not name.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = libmimalloc_sys::mi_option_use_numa_nodes - 1;

/// Lets go of freed memory soon, unless `MIMALLOC_PURGE_DELAY` says otherwise. To be called before anything else.
pub fn give_back_soon() {
    // SAFETY: it has no preconditions but that no other thread sets options meanwhile.
    #[allow(unsafe_code)]
    unsafe {
        libmimalloc_sys::mi_option_set_default(PURGE_DELAY, PURGE_DELAY_MS);
    }
}

/// Gives what the calling thread has freed back to the operating system: mimalloc does so only while it is used, so that a
/// gateway at rest would keep for ever what a burst took.
pub fn give_back() {
    // SAFETY: it has no preconditions; it works on the calling thread's own heap and on what no thread holds.
    #[allow(unsafe_code)]
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}

/// [`give_back`] for a thread that is about to rest, unless it did so a moment ago.
pub fn give_back_at_rest() {
    thread_local!(static GAVE: Cell<Option<Instant>> = const { Cell::new(None) });
    let now = Instant::now();
    if GAVE.get().is_none_or(|at| now.duration_since(at) >= GIVE_BACK_EVERY) {
        GAVE.set(Some(now));
        give_back();
    }
}

/// Lets go of what is resident of the program's own file: whatever is used again comes back from the kernel's cache of that
/// file. What only the start needed, half of it, stays away: the kernel maps sixteen pages around each one that is touched, and
/// the code of a gateway lies between that of a control plane.
///
/// # Errors
/// Where the kernel does not tell what is mapped, or refuses.
pub fn give_back_program() -> io::Result<()> {
    let program = env::current_exe()?;
    for pages in clean_pages(&fs::read_to_string("/proc/self/smaps")?, &program.to_string_lossy()) {
        let start = std::ptr::with_exposed_provenance_mut(pages.start);
        // SAFETY: nobody can write to these pages and nobody has, so that all of them are as the file has them.
        #[allow(unsafe_code)]
        unsafe {
            madvise(start, pages.len(), Advice::LinuxDontNeed)?;
        }
    }
    Ok(())
}

/// The mappings of a file that cannot be written to and hold nothing of their own (`proc_pid_smaps(5)`): what the loader has
/// moved and then protected is left out.
fn clean_pages(smaps: &str, file: &str) -> Vec<Range<usize>> {
    let mut clean = Vec::new();
    let mut last = None;
    for line in smaps.lines() {
        if let Some(pages) = mapping(line) {
            let may_write = line.split(' ').nth(1).is_none_or(|may| may.contains('w'));
            last = (line.ends_with(&format!(" {file}")) && !may_write).then_some(pages);
        } else if line.starts_with("Anonymous:")
            && line.split_ascii_whitespace().nth(1) == Some("0")
            && let Some(pages) = last.take()
        {
            clean.push(pages);
        }
    }
    clean
}

/// Where a mapping lies, if this is the line that begins one.
fn mapping(line: &str) -> Option<Range<usize>> {
    let (start, end) = line.split_once(' ')?.0.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_that_are_as_the_file_has_them_are_let_go() {
        let smaps = "\
10000-20000 r--p 00000000 fe:00 7    /opt/tollgate
Rss:                  40 kB
Anonymous:             0 kB
20000-40000 r-xp 00010000 fe:00 7    /opt/tollgate
Anonymous:             0 kB
40000-50000 r--p 00030000 fe:00 7    /opt/tollgate
Anonymous:            16 kB
50000-60000 rw-p 00040000 fe:00 7    /opt/tollgate
Anonymous:             0 kB
60000-70000 rw-p 00000000 00:00 0
Anonymous:             0 kB
70000-80000 r-xp 00000000 fe:00 9    /lib/libc.so.6
Anonymous:             0 kB
";
        assert_eq!(clean_pages(smaps, "/opt/tollgate"), [0x10000..0x20000, 0x20000..0x40000]);
    }

    #[test]
    fn the_option_that_is_set_is_the_one_that_is_meant() {
        // SAFETY: it only reads.
        #[allow(unsafe_code)]
        let usual = unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(usual, 1_000, "mimalloc's default: nothing else has it");
    }

    #[test]
    fn a_program_runs_on_without_its_pages() {
        let resident = || {
            let smaps = fs::read_to_string("/proc/self/smaps").expect("it is readable");
            let program = env::current_exe().expect("it has a name");
            clean_pages(&smaps, &program.to_string_lossy()).iter().map(Range::len).sum::<usize>()
        };
        let before = resident();
        assert!(before > 0, "the code of a test is mapped");
        give_back_program().expect("it may");
        assert_eq!(resident(), before, "it is still mapped, and this runs");
    }
}
