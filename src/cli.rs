//! The command line: every port and directory by flag and by environment.

mod gateway;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tollgate_boot::TrustedProxies;
use tollgate_boot::telemetry::LogFormat;
use tollgate_control::Reachable;
use tollgate_domain::Slug;

pub use self::gateway::{GatewayFlags, GatewayRole};
use crate::payments::PaymentFlags;

/// An open API management platform: gateway, control plane and portal in one binary.
///
/// Without a command it runs everything here, on loopback, with a private PostgreSQL and a demo API.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, max_term_width = 100)]
pub struct Cli {
    /// What to run.
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub place: Place,
}

/// Where things are; for every command.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Directory for the private database, secrets, and what the gateway keeps on disk.
    #[arg(long, global = true, env = "TOLLGATE_DATA_DIR", default_value = ".tollgate")]
    pub data_dir: PathBuf,
    /// PostgreSQL to use instead of a private one. Only by environment: a command line is visible to others.
    #[arg(skip = database_url())]
    pub database_url: Option<String>,
    /// User who runs the private PostgreSQL when started as root.
    #[arg(long, global = true, env = "TOLLGATE_POSTGRES_USER")]
    pub postgres_user: Option<String>,
    /// Proxies before Tollgate whose X-Forwarded-* fields are believed: addresses and networks, by commas.
    #[arg(
        long,
        global = true,
        env = "TOLLGATE_TRUSTED_PROXIES",
        default_value = "",
        hide_default_value = true,
        value_name = "NETWORKS"
    )]
    pub trusted_proxies: TrustedProxies,
    /// PEM file of who certifies the address of the certificate authority that issues certificates (ACME), where the
    /// system does not know it: an authority of one's own.
    #[arg(long, global = true, env = "TOLLGATE_ACME_CA_FILE", value_name = "FILE")]
    pub acme_ca_file: Option<PathBuf>,
    /// How log lines are written, to standard error.
    #[arg(
        long,
        global = true,
        env = "TOLLGATE_LOG_FORMAT",
        default_value = "text",
        value_name = "text|json"
    )]
    pub log_format: LogFormat,
}

fn database_url() -> Option<String> {
    std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty())
}

/// Where mails go.
const MAIL_URL_VARIABLE: &str = "TOLLGATE_MAIL_URL";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything in one process (what happens without a command).
    Up(Box<Up>),
    /// Run a gateway over DATABASE_URL.
    Gateway(Box<GatewayRole>),
    /// Run the admin API over DATABASE_URL.
    AdminApi(Box<AdminApiRole>),
    /// Run the portal and the admin web UI over DATABASE_URL.
    Portal(Box<PortalRole>),
    /// Bring the schema of DATABASE_URL up to date and exit.
    Migrate,
    /// Print a one-time link that makes an admin; valid for 15 minutes.
    SetupLink {
        /// Where browsers reach the portal.
        #[arg(long, env = "TOLLGATE_PORTAL_URL", default_value = "http://127.0.0.1:3000")]
        portal_url: String,
    },
    /// Make a service token for the admin API and print it once.
    Token {
        /// What it is for; shown in the audit log.
        name: String,
    },
    /// Write all that is published as YAML files.
    Export {
        /// Directory to write to; `-` prints one text.
        #[arg(short, long, value_name = "DIR", default_value = "-")]
        output: PathBuf,
    },
    /// Show what `apply` would change. Exits with 1 where something differs, with 2 on trouble.
    Diff(FileFlags),
    /// Make what YAML files declare hold: all of it, or nothing.
    Apply {
        #[command(flatten)]
        files: FileFlags,
        /// Show what would change, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Start files from what exists elsewhere.
    #[command(subcommand)]
    Import(Import),
    /// Print the JSON Schema of the files, for editors.
    Schema,
    /// Check the audit log.
    #[command(subcommand)]
    Audit(Audit),
    /// Show which gateways run the configuration in force. Exits with 1 where one that serves does not, or none serves.
    Status {
        /// Wait until all do.
        #[arg(long)]
        wait: bool,
        /// For so many seconds at most.
        #[arg(long, value_name = "SECONDS", default_value_t = 30)]
        timeout: u64,
    },
    /// Get a sandbox key for this terminal, by way of a browser where you are signed in; it is printed and stored nowhere.
    Login {
        /// Where browsers reach the portal.
        #[arg(long, env = "TOLLGATE_PORTAL_URL", default_value = "http://127.0.0.1:3000")]
        portal_url: String,
    },
    /// Look at everything that must be right, and say what to do where it is not.
    Doctor,
    /// Seal all stored secrets (keys of certificates and sandboxes, second factors, webhooks) under the newest pepper, so
    /// that older ones can be retired.
    Reseal,
    /// Find keys and stop them.
    #[command(subcommand)]
    Keys(Keys),
    /// Give up gateways that are gone with their disks.
    #[command(subcommand)]
    Gateways(Gateways),
}

/// What to do with gateways.
#[derive(Debug, Subcommand)]
pub enum Gateways {
    /// Give up a gateway whose disk is lost: what it had borrowed of exact quotas, caps and credits and did not hand in as
    /// spent is free at once, not in a day. Calls that it had served and not handed in are given a second time.
    Forget {
        /// What it was called, as `tollgate status` tells it.
        name: String,
    },
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// List the keys that begin with these characters, or have a word in their name that does.
    Find {
        /// The first characters of the secret, or of a word of the name. Never give the whole secret: a command line is
        /// visible to others.
        text: String,
    },
    /// Revoke a key: calls with it are refused within a second, and there is no way back.
    Revoke {
        /// Its id.
        id: String,
    },
}

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Read every entry and check its seal. Exits with 1 and names the first place that is not what was written.
    Verify {
        /// Where the log ended earlier, as `audit head` printed it: then a cut end is found too.
        #[arg(long, value_name = "SEQUENCE:SEAL")]
        head: Option<tollgate_control::ExportedHead>,
    },
    /// Print where the log ends now, to be kept elsewhere.
    Head,
}

/// Which files, and what they mean for everything else.
#[derive(Debug, Clone, Args)]
pub struct FileFlags {
    /// A file, or a directory whose .yaml and .yml files are read; `-` reads standard input. Can be given again.
    #[arg(short = 'f', long = "file", value_name = "PATH", required = true)]
    pub files: Vec<PathBuf>,
    /// Delete services, APIs, products and plans that the files do not declare.
    #[arg(long)]
    pub prune: bool,
}

/// What to start files from.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Print the YAML that publishes an OpenAPI document; `apply -f -` takes it.
    Openapi(ImportFlags),
    /// Print the YAML of what a declarative file of Kong (decK) publishes, and say per entry what became of it on standard
    /// error. Exits with 1 where something needs a look.
    Kong {
        /// The file; `-` reads standard input.
        file: PathBuf,
    },
}

/// An OpenAPI document, and what it does not say.
#[derive(Debug, Clone, Args)]
pub struct ImportFlags {
    /// The document (3.1, 3.0 or Swagger 2; JSON or YAML); `-` reads standard input.
    pub file: PathBuf,
    /// Where calls are forwarded to.
    #[arg(long, value_name = "URL")]
    pub service_url: String,
    /// Name in URLs of the service and the API; by default made from the title.
    #[arg(long)]
    pub slug: Option<Slug>,
    /// Also a product of this name with a free plan, as a draft.
    #[arg(long, value_name = "SLUG")]
    pub product: Option<Slug>,
}

/// Everything in one process.
#[derive(Debug, Clone, Args)]
pub struct Up {
    /// Print one line of JSON when ready instead of a welcome.
    #[arg(long)]
    pub json: bool,
    /// Do not publish the demo API.
    #[arg(long, env = "TOLLGATE_NO_DEMO")]
    pub no_demo: bool,
    /// Address of the demo API's own upstream.
    #[arg(long, env = "TOLLGATE_DEMO_LISTEN", default_value = "127.0.0.1:4010")]
    pub demo_listen: SocketAddr,
    #[command(flatten)]
    pub gateway: GatewayFlags,
    #[command(flatten)]
    pub admin: AdminFlags,
    #[command(flatten)]
    pub portal: PortalFlags,
    #[command(flatten)]
    pub mail: MailFlags,
    #[command(flatten)]
    pub payments: PaymentFlags,
}

/// How Tollgate calls out: mails and webhooks.
#[derive(Debug, Clone, Args)]
pub struct MailFlags {
    /// Mail server or directory that mails go to. Only by environment: there is a password in it.
    #[arg(skip = mail_url())]
    pub mail_url: Option<String>,
    /// Whom mails come from.
    #[arg(long, env = "TOLLGATE_MAIL_FROM", default_value = "Tollgate <tollgate@localhost.localdomain>")]
    pub mail_from: String,
    /// Networks that webhooks may reach though they are not public, between commas; http is for these alone.
    #[arg(long, env = "TOLLGATE_WEBHOOK_NETWORKS", value_name = "NETWORKS", default_value = "")]
    pub webhook_networks: Reachable,
}

fn mail_url() -> Option<String> {
    std::env::var(MAIL_URL_VARIABLE).ok().filter(|url| !url.is_empty())
}

/// The admin API.
#[derive(Debug, Clone, Args)]
pub struct AdminFlags {
    /// Address of the admin API.
    #[arg(long, env = "TOLLGATE_ADMIN_LISTEN", default_value = "127.0.0.1:8081")]
    pub admin_listen: SocketAddr,
}

/// The admin API as a process of its own.
#[derive(Debug, Clone, Args)]
pub struct AdminApiRole {
    #[command(flatten)]
    pub admin: AdminFlags,
    /// Where browsers reach the portal; refusals link to its explanations.
    #[arg(long, env = "TOLLGATE_PORTAL_URL", default_value = "http://127.0.0.1:3000")]
    pub portal_url: String,
    #[command(flatten)]
    pub mail: MailFlags,
    #[command(flatten)]
    pub payments: PaymentFlags,
}

/// The portal.
#[derive(Debug, Clone, Args)]
pub struct PortalFlags {
    /// Address of the portal and the admin web UI.
    #[arg(long, env = "TOLLGATE_PORTAL_LISTEN", default_value = "127.0.0.1:3000")]
    pub portal_listen: SocketAddr,
    /// Where consumers reach the gateway; shown in examples.
    #[arg(long, env = "TOLLGATE_GATEWAY_URL")]
    pub gateway_url: Option<String>,
    /// Where the portal itself reaches the gateway to try calls out; by default as consumers do, or on loopback
    /// where both run in one process.
    #[arg(long, env = "TOLLGATE_RELAY_URL")]
    pub relay_url: Option<String>,
    /// Directory with the publisher's guides/*.md and changelog/*.md; read at the start.
    #[arg(long, env = "TOLLGATE_CONTENT_DIR", value_name = "DIR")]
    pub content_dir: Option<PathBuf>,
    /// File that says through which OpenID Connect providers people may sign in; see the guide «sign in with a provider».
    #[arg(long, env = "TOLLGATE_IDENTITY_PROVIDERS", value_name = "FILE")]
    pub identity_providers: Option<PathBuf>,
}

/// The portal as a process of its own.
#[derive(Debug, Clone, Args)]
pub struct PortalRole {
    #[command(flatten)]
    pub portal: PortalFlags,
    /// Where browsers reach this portal; an https URL makes the cookies secure.
    #[arg(long, env = "TOLLGATE_PORTAL_URL", default_value = "http://127.0.0.1:3000")]
    pub portal_url: String,
    #[command(flatten)]
    pub mail: MailFlags,
    #[command(flatten)]
    pub payments: PaymentFlags,
}

impl Default for Up {
    /// What `tollgate` without a command runs: the environment and the defaults.
    fn default() -> Self {
        match Cli::parse_from(["tollgate", "up"]).command {
            Some(Command::Up(up)) => *up,
            _ => unreachable!("`tollgate up` parses as the command up"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tollgate_boot::{secrets, telemetry};

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    /// Bad input 184: others on the machine can read a command line.
    #[test]
    fn case_184_no_flag_takes_a_secret() {
        use clap::CommandFactory;
        fn flags(command: &clap::Command) -> Vec<String> {
            let own = command.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned));
            own.chain(command.get_subcommands().flat_map(flags)).collect()
        }
        let all = flags(&Cli::command());
        assert!(all.len() > 40, "they are found: {all:?}");
        for flag in all {
            let words: Vec<&str> = flag.split('-').collect();
            let names_one =
                ["secret", "password", "token", "pepper", "key"].iter().any(|one| words.contains(one));
            assert!(!names_one || words.last() == Some(&"file"), "--{flag}");
        }
    }

    #[test]
    fn every_listener_is_on_loopback_unless_told_otherwise() {
        let up = Up::default();
        for address in [
            up.demo_listen,
            up.gateway.gateway_listen,
            up.gateway.operator_listen,
            up.admin.admin_listen,
            up.portal.portal_listen,
        ] {
            assert!(address.ip().is_loopback(), "{address}");
        }
    }

    #[test]
    fn a_network_that_cannot_be_read_stops_the_start_by_name() {
        let parse = |networks| Cli::try_parse_from(["tollgate", "portal", "--trusted-proxies", networks]);
        let error = parse("10.0.0.0/8,10.1.2.3/16").expect_err("not a network").to_string();
        assert!(
            error.contains("10.1.2.3/16: expected an address or a network whose address is its first"),
            "{error}"
        );
        let place = parse("10.0.0.0/8, ::1").expect("two networks").place;
        assert!(place.trusted_proxies.contains([10, 1, 2, 3].into()));
        assert!(Cli::try_parse_from(["tollgate"]).expect("defaults").place.trusted_proxies.is_empty());
    }

    /// Every `TOLLGATE_…` and `DATABASE_URL` that `.env.example` names, in comments or not.
    fn documented() -> BTreeSet<String> {
        include_str!("../.env.example")
            .lines()
            .filter_map(|line| line.trim_start_matches('#').split_once('='))
            .map(|(name, _)| name.to_owned())
            .filter(|name| name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'))
            .collect()
    }

    #[test]
    fn every_setting_is_in_env_example_and_nothing_else_is() {
        use clap::CommandFactory;
        let cli = Cli::command();
        let arguments =
            cli.get_subcommands().flat_map(clap::Command::get_arguments).chain(cli.get_arguments());
        let mut settings: BTreeSet<String> = arguments
            .filter_map(clap::Arg::get_env)
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        // Read where they are used, because a secret has no flag.
        settings.extend(
            [
                "DATABASE_URL",
                MAIL_URL_VARIABLE,
                crate::payments::KEY_VARIABLE,
                crate::payments::WEBHOOK_SECRET_VARIABLE,
                telemetry::FILTER_VARIABLE,
                secrets::PEPPERS_VARIABLE,
                secrets::PEPPER_FILE_VARIABLE,
            ]
            .map(str::to_owned),
        );
        assert_eq!(documented(), settings);
    }
}
