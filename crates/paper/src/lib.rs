//! Bills on paper: a PDF from what a bill says, without a clock, a file or a font of its own.
