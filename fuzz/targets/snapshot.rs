//! Whatever stands in a saved configuration, reading it ends, and what was read is read again from what it is written as.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_domain::ConsumerApplication;

// The gateway itself is too much to build for this: the file stands on its own.
#[path = "../../gateway/src/disk/snapshot/record.rs"]
mod record;

fuzz_target!(|bytes: &[u8]| {
    let mut records = record::Records::new(bytes);
    while let Ok(Some(application)) = records.next::<ConsumerApplication>() {
        let written = postcard::to_stdvec(&application).expect("plain values");
        let length = u32::try_from(written.len()).expect("it is short").to_le_bytes();
        let framed = [&length[..], &written].concat();
        let again = record::Records::new(&framed[..]).next::<ConsumerApplication>();
        let again = again.expect("it is whole").expect("and not the end");
        assert_eq!(format!("{again:?}"), format!("{application:?}"));
    }
});
