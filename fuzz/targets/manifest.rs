//! Reading any file ends, and every fault names its file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_manifest::{File, Manifest};

fuzz_target!(|text: &str| {
    let file = File { name: "tollgate.yaml".to_owned(), text: text.to_owned() };
    let manifest = Manifest::read(&[file], &mut |_, _| Err("there is none".to_owned()));
    for fault in &manifest.faults {
        assert!(fault.to_string().contains("tollgate.yaml"), "{fault}");
    }
});
