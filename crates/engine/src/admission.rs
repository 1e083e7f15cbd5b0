//! The strict form that a call's method, host and target must have; the same bytes are routed and forwarded.
//!
//! Whatever an upstream could read differently than the router does is refused here instead of repaired: then a
//! policy can never be walked around by another spelling of the same path.

use std::borrow::Cow;
use std::fmt;

/// The longest request target that is read, in bytes.
pub const TARGET_BYTES_MAX: usize = 8_192;
/// The longest host name (RFC 1035 §2.3.4).
const HOST_BYTES_MAX: usize = 253;
/// The longest part of it.
const LABEL_BYTES_MAX: usize = 63;

/// Methods that can be routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
    /// OPTIONS
    Options,
}

impl Method {
    /// Every method, in the order that `Allow` lists them.
    pub const ALL: [Self; 7] =
        [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Options];

    /// The value of `Allow` with every method.
    pub const ALL_LISTED: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

    /// As it stands in a request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// Reads a method; methods are case-sensitive (RFC 9110 §9.1).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is wrong with a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadMethod {
    /// No token at all (RFC 9110 §5.6.2).
    Malformed,
    /// A token that no route can have, `get` among them.
    Unknown,
    /// CONNECT and TRACE, which are known and never allowed here.
    Never,
}

/// What is wrong with a host or target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRequest {
    /// More than [`TARGET_BYTES_MAX`].
    TargetTooLong,
    /// The target does not begin with `/`: absolute, authority and asterisk form.
    NotOriginForm,
    /// A byte that RFC 3986 does not allow there: controls, space, backslash, `#`, non-ASCII and others.
    ForbiddenByte,
    /// A `%` without two hexadecimal digits.
    BadPercentEscape,
    /// An encoded slash, backslash or NUL.
    EncodedSeparator,
    /// An encoded letter, digit, `-`, `.`, `_` or `~`, which RFC 3986 §6.2.2.2 writes plainly.
    NeedlessEscape,
    /// Two slashes in a row.
    EmptySegment,
    /// A segment `.` or `..`, also before `;`.
    DotSegment,
    /// No host.
    MissingHost,
    /// A host that is no name, IPv4 or bracketed IPv6 address with an optional port.
    BadHost,
}

impl BadRequest {
    /// A stable word for logs and problems.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TargetTooLong => "target_too_long",
            Self::NotOriginForm => "not_origin_form",
            Self::ForbiddenByte => "forbidden_byte",
            Self::BadPercentEscape => "bad_percent_escape",
            Self::EncodedSeparator => "encoded_separator",
            Self::NeedlessEscape => "needless_escape",
            Self::EmptySegment => "empty_segment",
            Self::DotSegment => "dot_segment",
            Self::MissingHost => "missing_host",
            Self::BadHost => "bad_host",
        }
    }
}

/// Reads the method.
///
/// # Errors
/// Malformed, or not one that can be routed.
pub fn check_method(method: &str) -> Result<Method, BadMethod> {
    if let Some(known) = Method::parse(method) {
        return Ok(known);
    }
    if matches!(method, "CONNECT" | "TRACE") {
        return Err(BadMethod::Never);
    }
    let token = !method.is_empty()
        && method.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    Err(if token { BadMethod::Unknown } else { BadMethod::Malformed })
}

const LABEL: u8 = 1;
const DOT: u8 = 2;
const PORT: u8 = 3;
/// What each byte of a host that is a name does.
const IN_HOST: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 0usize;
    while byte < 128 {
        let b = byte as u8;
        table[byte] = match b {
            b'-' | b'_' => LABEL,
            b'.' => DOT,
            b':' => PORT,
            _ if b.is_ascii_alphanumeric() => LABEL,
            _ => 0,
        };
        byte += 1;
    }
    table
};

const PATH: u8 = 1;
const QUERY: u8 = 2;
/// Written plainly, never escaped (RFC 3986 §2.3).
const UNRESERVED: u8 = 4;
/// Where each byte may stand. Queries also take the brackets that many clients send unescaped.
const ALLOWED: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 0usize;
    while byte < 128 {
        let b = byte as u8;
        table[byte] = match b {
            b'-' | b'.' | b'_' | b'~' => PATH | QUERY | UNRESERVED,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@'
            | b'/' | b'%' => PATH | QUERY,
            b'?' | b'[' | b']' => QUERY,
            _ if b.is_ascii_alphanumeric() => PATH | QUERY | UNRESERVED,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// Checks a request target and splits it into path and query.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_target(target: &[u8]) -> Result<(&str, Option<&str>), BadRequest> {
    if target.len() > TARGET_BYTES_MAX {
        return Err(BadRequest::TargetTooLong);
    }
    let text = std::str::from_utf8(target).map_err(|_| BadRequest::ForbiddenByte)?;
    let (path, query) = match target.iter().position(|b| *b == b'?') {
        Some(mark) => (&text[..mark], Some(&text[mark + 1..])),
        None => (text, None),
    };
    check_path(path)?;
    if let Some(query) = query {
        check_query(query)?;
    }
    Ok((path, query))
}

/// Checks that a path is in its one canonical spelling.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_path(path: &str) -> Result<(), BadRequest> {
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'/') {
        return Err(BadRequest::NotOriginForm);
    }
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if ALLOWED[usize::from(byte)] & UNRESERVED != 0 {
            at += 1;
            continue;
        }
        if ALLOWED[usize::from(byte)] & PATH == 0 {
            return Err(BadRequest::ForbiddenByte);
        }
        match byte {
            b'%' => {
                let decoded = percent_escape(&bytes[at..])?;
                if matches!(decoded, b'/' | b'\\' | 0) {
                    return Err(BadRequest::EncodedSeparator);
                }
                if ALLOWED[usize::from(decoded)] & UNRESERVED != 0 {
                    return Err(BadRequest::NeedlessEscape);
                }
                at += 2;
            }
            b'/' => check_segment_start(&bytes[at + 1..])?,
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// What may not stand right after a slash. Some servers cut `;…` off a segment before they resolve dots, some of them
/// after they decoded it, and some then read a decoded `?` or `#` as the path's end.
fn check_segment_start(rest: &[u8]) -> Result<(), BadRequest> {
    let ends = |behind: &[u8]| {
        matches!(
            behind,
            [] | [b'/' | b';', ..] | [b'%', b'3', b'b' | b'B' | b'f' | b'F', ..] | [b'%', b'2', b'3', ..]
        )
    };
    match rest {
        [b'/', ..] => Err(BadRequest::EmptySegment),
        [b'.', b'.', behind @ ..] | [b'.', behind @ ..] if ends(behind) => Err(BadRequest::DotSegment),
        _ => Ok(()),
    }
}

fn check_query(query: &str) -> Result<(), BadRequest> {
    let bytes = query.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        if ALLOWED[usize::from(*byte)] & QUERY == 0 {
            return Err(BadRequest::ForbiddenByte);
        }
        if *byte == b'%' {
            percent_escape(&bytes[at..])?;
        }
    }
    Ok(())
}

fn percent_escape(rest: &[u8]) -> Result<u8, BadRequest> {
    let digit = |at: usize| rest.get(at).and_then(|b| char::from(*b).to_digit(16));
    match (digit(1), digit(2)) {
        (Some(high), Some(low)) => Ok((high * 16 + low) as u8),
        _ => Err(BadRequest::BadPercentEscape),
    }
}

/// Checks a `Host` or `:authority` and gives the host in lower case, without port and final dot.
///
/// # Errors
/// Missing, or not of the form `name[:port]`, `IPv4[:port]`, `[IPv6][:port]`.
pub fn check_host(host: Option<&[u8]>) -> Result<Cow<'_, str>, BadRequest> {
    let host = host.ok_or(BadRequest::MissingHost)?;
    let (name, port) = host.split_at(end_of_name(host).ok_or(BadRequest::BadHost)?);
    if !port.is_empty() && !is_port(port) {
        return Err(BadRequest::BadHost);
    }
    let name = name.strip_suffix(b".").unwrap_or(name);
    if name.is_empty() || name.len() > HOST_BYTES_MAX {
        return Err(BadRequest::BadHost);
    }
    // Only ASCII is left.
    let name = std::str::from_utf8(name).map_err(|_| BadRequest::BadHost)?;
    Ok(if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    })
}

/// Where the port of a host begins, or the host ends; none where what stands before it is neither a name nor an address in
/// brackets. A name may end in a dot.
fn end_of_name(host: &[u8]) -> Option<usize> {
    if let Some(rest) = host.strip_prefix(b"[") {
        let end = rest.iter().position(|byte| *byte == b']')?;
        let address = std::str::from_utf8(&rest[..end]).ok()?;
        return address.parse::<std::net::Ipv6Addr>().is_ok().then_some(end + 2);
    }
    // Byte by byte, in one pass: every call has a host.
    let mut label = 0;
    let mut end = host.len();
    for (at, byte) in host.iter().enumerate() {
        match IN_HOST[usize::from(*byte)] {
            LABEL => label += 1,
            DOT if (1..=LABEL_BYTES_MAX).contains(&label) => label = 0,
            PORT => {
                end = at;
                break;
            }
            _ => return None,
        }
    }
    (label <= LABEL_BYTES_MAX).then_some(end)
}

/// Whether this is a colon and a port.
fn is_port(text: &[u8]) -> bool {
    let Some(digits) = text.strip_prefix(b":") else { return false };
    let plain = (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    plain && digits.iter().fold(0, |port, digit| port * 10 + u32::from(digit - b'0')) <= u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_targets_pass_untouched() {
        for (target, path, query) in [
            ("/", "/", None),
            ("/a/b/", "/a/b/", None),
            ("/caf%C3%A9/a%20b", "/caf%C3%A9/a%20b", None),
            ("/a.b/..c/...", "/a.b/..c/...", None),
            ("/v1/x:y@z;p=1?q=%2F..%2f&f[a]=b?c/d", "/v1/x:y@z;p=1", Some("q=%2F..%2f&f[a]=b?c/d")),
            ("/a?", "/a", Some("")),
        ] {
            assert_eq!(check_target(target.as_bytes()), Ok((path, query)), "{target}");
        }
    }

    #[test]
    fn every_second_spelling_of_a_path_is_refused() {
        use BadRequest as B;
        for (target, reason) in [
            ("", B::NotOriginForm),
            ("*", B::NotOriginForm),
            ("http://h/", B::NotOriginForm),
            ("h:80", B::NotOriginForm),
            ("//admin", B::EmptySegment),
            ("/a//b", B::EmptySegment),
            ("/pub/../admin", B::DotSegment),
            ("/pub/./admin", B::DotSegment),
            ("/pub/..", B::DotSegment),
            ("/.", B::DotSegment),
            ("/pub/..;/admin", B::DotSegment),
            ("/pub/.;x=1/admin", B::DotSegment),
            ("/pub/..%3b/admin", B::DotSegment),
            ("/pub/.%3Bx", B::DotSegment),
            ("/pub/..%3f", B::DotSegment),
            ("/pub/.%23", B::DotSegment),
            ("/pub/%2e%2e/admin", B::NeedlessEscape),
            ("/pub/%2E./admin", B::NeedlessEscape),
            ("/%61dmin", B::NeedlessEscape),
            ("/pub%2f..%2fadmin", B::EncodedSeparator),
            ("/pub%2Fadmin", B::EncodedSeparator),
            ("/pub%5cadmin", B::EncodedSeparator),
            ("/a%00", B::EncodedSeparator),
            ("/pub\\..\\admin", B::ForbiddenByte),
            ("/a b", B::ForbiddenByte),
            ("/a\tb", B::ForbiddenByte),
            ("/a\0", B::ForbiddenByte),
            ("/a#b", B::ForbiddenByte),
            ("/a|b", B::ForbiddenByte),
            ("/é", B::ForbiddenByte),
            ("/a?x=\\", B::ForbiddenByte),
            ("/a?x=#", B::ForbiddenByte),
            ("/a%", B::BadPercentEscape),
            ("/a%2", B::BadPercentEscape),
            ("/a%zz", B::BadPercentEscape),
            ("/a?x=%+1", B::BadPercentEscape),
        ] {
            assert_eq!(check_target(target.as_bytes()), Err(reason), "{target}");
        }
        assert_eq!(check_target(b"/\xff"), Err(B::ForbiddenByte));
        let long = format!("/{}", "a".repeat(TARGET_BYTES_MAX));
        assert_eq!(check_target(long.as_bytes()), Err(B::TargetTooLong));
        assert!(check_target(&long.as_bytes()[1..]).is_err());
        assert!(check_target(&long.as_bytes()[..TARGET_BYTES_MAX]).is_ok());
    }

    #[test]
    fn hosts_lose_case_port_and_final_dot_and_odd_ones_are_refused() {
        for (host, expected) in [
            ("API.Example.com:8443", "api.example.com"),
            ("example.com.", "example.com"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:80", "[::1]"),
            ("my_service", "my_service"),
            ("[2001:DB8::1]", "[2001:db8::1]"),
            ("a.b-c.", "a.b-c"),
            ("a:65535", "a"),
        ] {
            assert_eq!(check_host(Some(host.as_bytes())).as_deref(), Ok(expected), "{host}");
        }
        assert_eq!(check_host(None), Err(BadRequest::MissingHost));
        for bad in [
            "", "a b", "a/b", "a@b", "[::1", "[::1]x", "[zz]", "a:", "a:99999", "a:+1", "a:1:2", ".", "a..b",
            "é", "a..", ":80", ".:80", "a:65536", "a:000080", "[]", "[::1].", ".a",
        ] {
            assert_eq!(check_host(Some(bad.as_bytes())), Err(BadRequest::BadHost), "{bad}");
        }
    }

    #[test]
    fn methods_are_exact() {
        assert_eq!(check_method("GET"), Ok(Method::Get));
        assert_eq!(Method::ALL.map(Method::as_str).join(", "), Method::ALL_LISTED);
        for never in ["TRACE", "CONNECT"] {
            assert_eq!(check_method(never), Err(BadMethod::Never), "{never}");
        }
        for unknown in ["get", "trace", "PROPFIND"] {
            assert_eq!(check_method(unknown), Err(BadMethod::Unknown), "{unknown}");
        }
        for malformed in ["", "G@T", "GE T"] {
            assert_eq!(check_method(malformed), Err(BadMethod::Malformed), "{malformed}");
        }
    }

    /// The path with its escapes undone.
    fn unescaped(path: &str) -> String {
        let mut decoded = Vec::new();
        let bytes = path.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match percent_escape(&bytes[at..]) {
                Ok(byte) if bytes[at] == b'%' => {
                    decoded.push(byte);
                    at += 3;
                }
                _ => {
                    decoded.push(bytes[at]);
                    at += 1;
                }
            }
        }
        String::from_utf8_lossy(&decoded).into_owned()
    }

    /// Decodes once, resolves dots and merges slashes: the most forgiving reading an upstream may have.
    fn forgiving(path: &str) -> String {
        let text = unescaped(path).replace('\\', "/");
        let mut out: Vec<&str> = Vec::new();
        for segment in text.split('/') {
            match segment.split([';', '?', '#']).next() {
                Some("." | "") if segment != text => {}
                Some("..") => {
                    out.pop();
                }
                _ => out.push(segment),
            }
        }
        format!("/{}", out.join("/"))
    }

    proptest! {
        #[test]
        fn an_accepted_path_reads_the_same_to_a_forgiving_upstream(
            path in "(/|%2e|%2f|%61|\\.|\\.\\.|;|a|b|%|%3b|%3F|%23|\\\\|%5C|%C3%A9){0,12}"
        ) {
            let path = format!("/{path}");
            if check_path(&path).is_ok() {
                let plain = unescaped(&path);
                let plain = plain.trim_end_matches('/');
                let forgiven = forgiving(&path);
                // Segments that begin with one of these are read as empty by some.
                prop_assume!(!["/;", "/?", "/#"].iter().any(|start| plain.contains(start)));
                prop_assert_eq!(if plain.is_empty() { "/" } else { plain }, forgiven.as_str());
            }
        }
    }
}
