//! YAML 1.2 as events; the scanner is saphyr's, which is iterative.

use std::borrow::Cow;

use saphyr_parser::{Event as Raw, Parser, ScalarStyle, Span, StrInput, Tag};

use super::event::{Event, Events, Place, Style, clamp};

/// Reads the one document of a YAML text.
pub(super) struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    documents: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { parser: Parser::new_from_str(text), documents: 0 }
    }
}

fn place(span: Span) -> Place {
    Place::Line(clamp(span.start.line()), clamp(span.start.col() + 1))
}

/// How a scalar's tag changes its reading.
fn style(style: ScalarStyle, tag: Option<&Tag>) -> Result<Style, String> {
    let plain = style == ScalarStyle::Plain;
    match tag {
        None => Ok(if plain { Style::Plain } else { Style::Text }),
        Some(tag) if tag.is_yaml_core_schema() => {
            Ok(if tag.suffix == "str" { Style::Text } else { Style::Plain })
        }
        Some(tag) if tag.suffix.is_empty() => Ok(Style::Text),
        Some(tag) => Err(format!("the YAML tag `{tag}` has no meaning in an OpenAPI document; leave it out")),
    }
}

impl<'a> Events<'a> for Reader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Place)>, (String, Place)> {
        loop {
            let (raw, span) = match self.parser.next_event() {
                None => return Ok(None),
                Some(Ok(pair)) => pair,
                Some(Err(error)) => {
                    let mark = error.marker();
                    let place = Place::Line(clamp(mark.line()), clamp(mark.col() + 1));
                    return Err((format!("not valid YAML: {}", error.info()), place));
                }
            };
            let place = place(span);
            let event = match raw {
                Raw::MappingStart(anchor, _) => Event::Object { anchor },
                Raw::SequenceStart(anchor, _) => Event::Array { anchor },
                Raw::MappingEnd | Raw::SequenceEnd => Event::End,
                Raw::Alias(anchor) => Event::Alias { anchor },
                Raw::Scalar(text, how, anchor, tag) => {
                    let style = style(how, tag.as_deref()).map_err(|message| (message, place))?;
                    let text: Cow<'a, str> = text;
                    Event::Scalar { text, style, anchor }
                }
                Raw::DocumentStart(_) => {
                    self.documents += 1;
                    if self.documents > 1 {
                        let message = "a second YAML document begins here; expected only one".to_owned();
                        return Err((message, place));
                    }
                    continue;
                }
                Raw::Nothing | Raw::StreamStart | Raw::StreamEnd | Raw::DocumentEnd => continue,
            };
            return Ok(Some((event, place)));
        }
    }
}
