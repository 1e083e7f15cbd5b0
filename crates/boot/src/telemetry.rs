//! Logs to standard error, as text for people or as JSON for machines.

use std::io::IsTerminal;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;

use crate::one_line::OneLine;

/// The variable that chooses what is logged, in the syntax of `tracing_subscriber::EnvFilter`.
pub const FILTER_VARIABLE: &str = "TOLLGATE_LOG";

/// What is logged where nothing else was asked for: our own news, and of others only trouble. The HTTP/2 library warns of each
/// answer to a PING that it did not send: a caller could fill the disk with it, and is counted and cut by the gateway.
const DEFAULT_FILTER: &str = "warn,tollgate=info,tollgate_gateway=info,tollgate_admin_api=info,\
    tollgate_portal=info,tollgate_control=info,tollgate_store=info,tollgate_boot=info,tollgate_web=info,\
    tollgate_demo=info,tollgate_engine=info,pingora_core=off,sqlx=warn,\
    h2::proto::ping_pong=error";

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// A word that names no log format.
#[derive(Debug, thiserror::Error)]
#[error("the log format is text or json, not {0:?}")]
pub struct UnknownLogFormat(String);

impl FromStr for LogFormat {
    type Err = UnknownLogFormat;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(UnknownLogFormat(other.to_owned())),
        }
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `TOLLGATE_LOG` is not a filter.
    #[error("{FILTER_VARIABLE} is not a log filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else in this process already did.
    #[error("logging is already set up in this process")]
    AlreadySet,
}

/// Installs the process-wide subscriber; `filter` is the value of `TOLLGATE_LOG`, empty for the default.
///
/// # Errors
/// [`TelemetryError`], for a filter that does not parse or a second call.
pub fn init(format: LogFormat, filter: Option<&str>) -> Result<(), TelemetryError> {
    let filter = match filter.map(str::trim) {
        Some(directives) if !directives.is_empty() => EnvFilter::builder().parse(directives)?,
        _ => EnvFilter::new(DEFAULT_FILTER),
    };
    let coloured = format == LogFormat::Text && std::io::stderr().is_terminal();
    let writer = move || OneLine::new(std::io::stderr(), coloured);
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    match format {
        LogFormat::Json => subscriber.json().flatten_event(true).with_current_span(false).try_init(),
        LogFormat::Text => subscriber.with_ansi(coloured).with_target(false).try_init(),
    }
    .map_err(|_| TelemetryError::AlreadySet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_filter_parses() {
        EnvFilter::builder().parse(DEFAULT_FILTER).unwrap();
    }

    #[test]
    fn a_bad_filter_is_refused_by_its_name() {
        let error = init(LogFormat::Text, Some("tollgate=loud")).unwrap_err().to_string();
        assert!(error.contains(FILTER_VARIABLE), "{error}");
    }
}
