//! Bills on paper: a PDF from what a bill says, without a clock, a file or a font of its own.
//!
//! Text is set in Helvetica, which every reader has, and in the letters of Western Europe (WinAnsi); what it lacks is
//! written as `?`, and the file says where those letters stand. The same bill makes the same bytes.

mod letters;

use letters::{encoded, is_lacking, width};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};

/// What stands on a bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// Who writes it.
    pub from: String,
    /// What it is: `Invoice INV-2026-000042`.
    pub title: String,
    /// Who owes it.
    pub to: String,
    /// Names and values.
    pub facts: Vec<(String, String)>,
    /// What is billed.
    pub lines: Vec<Line>,
    /// What it comes to, the last one in bold.
    pub sums: Vec<(String, String)>,
    /// Above its further pages: `Invoice INV-2026-000042, continued`.
    pub continued: String,
    /// Under the head of a bill of which letters are missing: what `?` means.
    pub lacking: String,
}

/// One amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What for.
    pub title: String,
    /// How it comes about; perhaps nothing.
    pub how: String,
    /// How much.
    pub amount: String,
}

/// A4, in points.
const PAGE: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 56.0;
const RIGHT: f32 = PAGE.0 - MARGIN;
const BOTTOM: f32 = 72.0;
/// Room for words left of an amount.
const WORDS: f32 = 380.0;

impl Paper {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let pairs = self.facts.iter().chain(&self.sums).flat_map(|(name, value)| [name, value]);
        let lines = self.lines.iter().flat_map(|line| [&line.title, &line.how, &line.amount]);
        [&self.from, &self.title, &self.to].into_iter().chain(pairs).chain(lines).map(String::as_str)
    }
}

/// The bill as a PDF file.
#[must_use]
pub fn pdf(paper: &Paper) -> Vec<u8> {
    let mut sheets = Sheets::new(paper);
    sheets.head(paper);
    for line in &paper.lines {
        sheets.line(line);
    }
    sheets.rule();
    for (at, (name, value)) in paper.sums.iter().enumerate() {
        sheets.sum(name, value, at + 1 == paper.sums.len());
    }
    sheets.finish(&paper.title)
}

/// Pages that are being written, from top to bottom.
struct Sheets {
    done: Vec<Content>,
    now: Content,
    y: f32,
    continued: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Face {
    Plain,
    Bold,
}

impl Sheets {
    fn new(paper: &Paper) -> Self {
        Self { done: Vec::new(), now: Content::new(), y: PAGE.1 - MARGIN, continued: paper.continued.clone() }
    }

    fn text(&mut self, x: f32, size: f32, face: Face, text: &str) {
        let name = if face == Face::Bold { Name(b"B") } else { Name(b"R") };
        self.now.begin_text().set_font(name, size).next_line(x, self.y).show(Str(&encoded(text))).end_text();
    }

    fn right(&mut self, size: f32, face: Face, text: &str) {
        self.text(RIGHT - width(text) * size, size, face, text);
    }

    /// Goes down; on to a new page where there is no room for what follows.
    fn down(&mut self, by: f32, room: f32) {
        self.y -= by;
        if self.y - room < BOTTOM {
            self.done.push(std::mem::replace(&mut self.now, Content::new()));
            self.y = PAGE.1 - MARGIN;
            let continued = std::mem::take(&mut self.continued);
            self.text(MARGIN, 9.0, Face::Plain, &continued);
            self.continued = continued;
            self.y -= 28.0;
        }
    }

    fn rule(&mut self) {
        self.now.set_line_width(0.5).set_stroke_gray(0.75);
        self.now.move_to(MARGIN, self.y + 4.0).line_to(RIGHT, self.y + 4.0).stroke();
        self.down(14.0, 20.0);
    }

    fn head(&mut self, paper: &Paper) {
        self.text(MARGIN, 10.0, Face::Bold, &paper.from);
        self.down(40.0, 0.0);
        self.text(MARGIN, 20.0, Face::Bold, &paper.title);
        self.down(24.0, 0.0);
        self.text(MARGIN, 11.0, Face::Plain, &paper.to);
        self.down(28.0, 0.0);
        for (name, value) in &paper.facts {
            self.text(MARGIN, 9.0, Face::Plain, name);
            self.text(MARGIN + 90.0, 9.0, Face::Plain, value);
            self.down(14.0, 0.0);
        }
        if paper.texts().any(is_lacking) {
            self.text(MARGIN, 8.5, Face::Plain, &paper.lacking);
            self.down(14.0, 0.0);
        }
        self.down(20.0, 0.0);
        self.rule();
    }

    fn line(&mut self, line: &Line) {
        let words = wrapped(&line.title, 10.0, WORDS);
        let how = wrapped(&line.how, 8.5, WORDS);
        self.down(0.0, 14.0 * words.len() as f32 + 12.0 * how.len() as f32);
        for (at, part) in words.iter().enumerate() {
            if at == 0 {
                self.right(10.0, Face::Plain, &line.amount);
            }
            self.text(MARGIN, 10.0, Face::Plain, part);
            self.y -= 13.0;
        }
        for part in &how {
            self.text(MARGIN, 8.5, Face::Plain, part);
            self.y -= 11.0;
        }
        self.y -= 7.0;
    }

    fn sum(&mut self, name: &str, value: &str, last: bool) {
        let face = if last { Face::Bold } else { Face::Plain };
        self.text(MARGIN, 11.0, face, name);
        self.right(11.0, face, value);
        self.down(18.0, 18.0);
    }

    fn finish(mut self, title: &str) -> Vec<u8> {
        self.done.push(self.now);
        let mut pdf = Pdf::new();
        let (catalog, tree, plain, bold, info) =
            (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4), Ref::new(5));
        let count = i32::try_from(self.done.len()).unwrap_or(i32::MAX);
        let page = |at: i32| Ref::new(6 + at * 2);
        let content = |at: i32| Ref::new(7 + at * 2);
        pdf.catalog(catalog).pages(tree);
        pdf.pages(tree).kids((0..count).map(page)).count(count);
        for (name, reference) in [(Name(b"Helvetica"), plain), (Name(b"Helvetica-Bold"), bold)] {
            pdf.type1_font(reference).base_font(name).encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        pdf.document_info(info).title(pdf_writer::TextStr(title));
        for (at, written) in (0..count).zip(self.done) {
            let mut sheet = pdf.page(page(at));
            sheet.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).parent(tree).contents(content(at));
            sheet.resources().fonts().pair(Name(b"R"), plain).pair(Name(b"B"), bold);
            sheet.finish();
            pdf.stream(content(at), &written.finish());
        }
        pdf.finish()
    }
}

/// A text in lines that are no wider than `room`; a word that is wider has a line of its own.
fn wrapped(text: &str, size: f32, room: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}")) * size <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper(lines: usize) -> Paper {
        let line = Line {
            title: "My first app, Countries Pro: calls".to_owned(),
            how: "1,000 calls included, 533 × 0.002 EUR".to_owned(),
            amount: "1.07 EUR".to_owned(),
        };
        Paper {
            from: "Tollgate".to_owned(),
            title: "Invoice INV-2026-000042".to_owned(),
            to: "Müller & Söhne (Łódź)".to_owned(),
            facts: vec![("Due".to_owned(), "15 November 2026".to_owned())],
            lines: vec![line; lines],
            sums: vec![("Total".to_owned(), "30.07 EUR".to_owned())],
            continued: "Invoice INV-2026-000042, continued".to_owned(),
            lacking: "Letters shown as ? are not in this file's font.".to_owned(),
        }
    }

    fn pages(file: &[u8]) -> usize {
        file.windows(11).filter(|part| part == b"/Type /Page").count() - 1
    }

    #[test]
    fn a_bill_is_a_file_of_as_many_pages_as_it_needs() {
        let short = pdf(&paper(2));
        assert!(short.starts_with(b"%PDF-") && short.ends_with(b"%%EOF"));
        assert_eq!((pages(&short), pages(&pdf(&paper(100)))), (1, 5));
    }

    #[test]
    fn a_bill_of_which_letters_are_missing_says_so() {
        let says = |to: &str| {
            let file = pdf(&Paper { to: to.to_owned(), ..paper(1) });
            file.windows(22).any(|part| part == b"not in this file's fon")
        };
        assert!(says("株式会社") && !says("Müller & Söhne"));
    }

    #[test]
    fn the_same_bill_makes_the_same_bytes() {
        assert_eq!(pdf(&paper(3)), pdf(&paper(3)));
    }

    #[test]
    fn long_words_and_no_words_are_no_trouble() {
        assert_eq!(wrapped("", 10.0, 100.0), Vec::<String>::new());
        let long = "x".repeat(200);
        assert_eq!(wrapped(&format!("a {long} b"), 10.0, 100.0), ["a", &*long, "b"]);
    }
}
