//! What is printed when everything runs.

use std::io::{self, Write};

use serde::Serialize;

/// Where things are. As JSON one line on standard output; scripts and tests stand on its fields.
#[derive(Debug, Serialize)]
pub struct Welcome {
    /// Where consumers call.
    pub gateway_url: String,
    /// Where the admin API is; its paths begin with `/v1`.
    pub admin_url: String,
    /// Where the portal and the admin web UI are.
    pub portal_url: String,
    /// Health and metrics.
    pub operator_url: String,
    /// A service token of the admin API, valid until the next start.
    pub admin_token: String,
    /// A key that opens the demo API.
    pub demo_key: Option<String>,
    /// A path of the demo API that answers.
    pub demo_path: Option<String>,
    /// One-time link that makes the first admin; absent once there is one.
    pub setup_url: Option<String>,
}

impl Welcome {
    pub fn print(&self, json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, self)?;
            writeln!(out)?;
        } else {
            self.print_for_people(&mut out)?;
        }
        out.flush()
    }

    fn print_for_people(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "\n  Tollgate is running.\n")?;
        for (name, url) in [
            ("Portal", &self.portal_url),
            ("Gateway", &self.gateway_url),
            ("Admin API", &self.admin_url),
            ("Health and metrics", &self.operator_url),
        ] {
            writeln!(out, "    {name:<20}{url}")?;
        }
        if let Some(url) = &self.setup_url {
            writeln!(
                out,
                "\n  Make yourself the first admin (the link works once, for 15 minutes):\n\n    {url}"
            )?;
        }
        if let (Some(key), Some(path)) = (&self.demo_key, &self.demo_path) {
            writeln!(
                out,
                "\n  Call the demo API:\n\n    curl {}{path} -H 'X-API-Key: {key}'",
                self.gateway_url
            )?;
        }
        writeln!(
            out,
            "\n  Admin token for scripts, valid until the next start:\n\n    {}",
            self.admin_token
        )?;
        writeln!(out, "\n  Stop with Ctrl-C.\n")
    }
}
