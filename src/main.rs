//! The one binary: everything in one process, or one role of it. Wiring only.

mod cli;
mod database;
mod doctor;
mod faces;
mod files;
mod gateways;
mod keys;
mod listen;
mod login;
mod memory;
mod once;
mod pace;
mod payments;
mod roles;
mod status;
mod up;
mod upgrade;
mod welcome;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command, Import};
use tollgate_boot::{pages, telemetry};

fn main() -> ExitCode {
    memory::give_back_soon();
    // Before there are threads, and memory that would be kept as it is.
    let pages = pages::keep_small();
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    let runtime = match threads.enable_all().on_thread_park(memory::give_back_at_rest).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("tollgate: no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(begin(pages))
}

async fn begin(pages: std::io::Result<()>) -> ExitCode {
    let cli = Cli::parse();
    let filter = std::env::var(telemetry::FILTER_VARIABLE).ok();
    if let Err(error) = telemetry::init(cli.place.log_format, filter.as_deref()) {
        eprintln!("tollgate: {error}");
        return ExitCode::from(2);
    }
    if let Err(error) = pages {
        tracing::debug!(%error, "huge pages stay on; more memory will be taken than is used");
    }
    match run(cli).await {
        Ok(code) => code,
        Err(error) => {
            // The chain on one line: what failed, then why.
            eprintln!("tollgate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let place = cli.place;
    match cli.command {
        None => up::run(place, cli::Up::default()).await,
        Some(Command::Up(up)) => up::run(place, *up).await,
        Some(Command::Gateway(role)) => roles::gateway(place, *role).await,
        Some(Command::AdminApi(role)) => roles::admin_api(place, role).await,
        Some(Command::Portal(role)) => roles::portal(place, role).await,
        Some(Command::Migrate) => once::migrate(place).await,
        Some(Command::Reseal) => once::reseal(place).await,
        Some(Command::SetupLink { portal_url }) => once::setup_link(place, &portal_url).await,
        Some(Command::Token { name }) => once::token(place, &name).await,
        Some(Command::Export { output }) => files::export(place, &output).await,
        Some(Command::Diff(flags)) => return Ok(files::diff(place, flags).await),
        Some(Command::Apply { files: flags, dry_run }) => return files::apply(place, flags, dry_run).await,
        Some(Command::Import(Import::Openapi(flags))) => files::openapi(flags),
        Some(Command::Import(Import::Kong { file })) => return files::kong(&file),
        Some(Command::Schema) => files::schema(),
        Some(Command::Status { wait, timeout }) => {
            return status::status(place, wait, std::time::Duration::from_secs(timeout)).await;
        }
        Some(Command::Login { portal_url }) => login::login(&portal_url).await,
        Some(Command::Doctor) => return doctor::doctor(place).await,
        Some(Command::Keys(cli::Keys::Find { text })) => keys::find(place, &text).await,
        Some(Command::Keys(cli::Keys::Revoke { id })) => keys::revoke(place, &id).await,
        Some(Command::Gateways(cli::Gateways::Forget { name })) => gateways::forget(place, &name).await,
        Some(Command::Audit(cli::Audit::Head)) => once::audit_head(place).await,
        Some(Command::Audit(cli::Audit::Verify { head })) => return once::audit_verify(place, head).await,
    }
    .map(|()| ExitCode::SUCCESS)
}
