//! Files: what is published, written as YAML, compared with YAML, and made what YAML says.

mod import;
mod report;
mod source;

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
pub use import::{kong, openapi};
use report::{Colours, many};
use tollgate_control::{Actor, ApplyOptions, ChangeSet, Control, Error, Face, Origin, Settings};
use tollgate_engine::key::Peppers;
use tollgate_manifest::{Fault, Manifest};
use tollgate_openapi::Document;

use crate::cli::{FileFlags, Place};
use crate::{database, once};

/// The files are at fault, or, for `diff`, something went wrong.
const FAULTY: u8 = 2;
/// `diff` found a difference.
const DIFFERENT: u8 = 1;

/// Writes everything that is published to a directory, or as one text to standard output.
pub async fn export(place: Place, output: &Path) -> anyhow::Result<()> {
    let state =
        control(&place)?.declared(&Actor::system()).await.map_err(|error| unreached(error, &place))?;
    if output.as_os_str() == "-" {
        return say(&tollgate_manifest::stream(&state));
    }
    let files = tollgate_manifest::files(&state);
    let mut written = BTreeSet::new();
    let mut changed = 0;
    for file in &files {
        let path = output.join(&file.name);
        let unwritable = || format!("{} cannot be written", path.display());
        if std::fs::read_to_string(&path).ok().as_deref() != Some(&file.text) {
            if let Some(dir) = path.parent() {
                std::fs::create_dir_all(dir).with_context(unwritable)?;
            }
            std::fs::write(&path, &file.text).with_context(unwritable)?;
            changed += 1;
        }
        written.insert(path);
    }
    say(&format!(
        "{} in {}, {changed} of them new or changed.\n",
        many(files.len(), "file"),
        output.display()
    ))?;
    for path in others(output, &written)? {
        say(&format!("Not part of this export and left alone: {}\n", path.display()))?;
    }
    Ok(())
}

/// YAML files below a directory that an export did not write: what they declare may be gone.
fn others(dir: &Path, written: &BTreeSet<PathBuf>) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !dir.is_dir() {
        return Ok(found);
    }
    for path in source::entries(dir)? {
        if path.is_dir() && !path.is_symlink() {
            found.extend(others(&path, written)?);
        } else if source::is_yaml(&path) && !written.contains(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Shows what [`apply`] would change. Like diff(1): 0 where nothing differs, 1 where something does, 2 on trouble.
pub async fn diff(place: Place, flags: FileFlags) -> ExitCode {
    differences(&place, &flags).await.unwrap_or_else(|error| {
        eprintln!("tollgate: {error:#}");
        ExitCode::from(FAULTY)
    })
}

async fn differences(place: &Place, flags: &FileFlags) -> anyhow::Result<ExitCode> {
    let options = ApplyOptions { dry_run: true, prune: flags.prune };
    let changes = match run(place, &flags.files, options).await? {
        Outcome::Refused => return Ok(ExitCode::from(FAULTY)),
        Outcome::Done(changes) => changes,
    };
    if changes.steps.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{}.\n", report::counts(&changes, ["to create", "to change", "to delete"])))?;
    Ok(ExitCode::from(DIFFERENT))
}

/// Makes what the files declare hold, all of it or nothing.
pub async fn apply(place: Place, flags: FileFlags, dry_run: bool) -> anyhow::Result<ExitCode> {
    let options = ApplyOptions { dry_run, prune: flags.prune };
    let changes = match run(&place, &flags.files, options).await? {
        Outcome::Refused => return Ok(ExitCode::from(FAULTY)),
        Outcome::Done(changes) => changes,
    };
    if changes.steps.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    match changes.revision {
        Some(revision) => {
            let counts = report::counts(&changes, ["created", "changed", "deleted"]);
            say(&format!("Done: {counts}. In force with revision {revision}.\n"))?;
        }
        None => {
            let counts = report::counts(&changes, ["to create", "to change", "to delete"]);
            say(&format!("Dry run, nothing was written: {counts}.\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

enum Outcome {
    /// Done, or only tried; its steps were printed.
    Done(ChangeSet),
    /// The files are at fault; the faults were printed.
    Refused,
}

async fn run(place: &Place, paths: &[PathBuf], options: ApplyOptions) -> anyhow::Result<Outcome> {
    let files = source::read_all(paths)?;
    let mut manifest = Manifest::read(&files, &mut source::document);
    for name in &manifest.unused_documents {
        eprintln!("note: {name} is an OpenAPI document that no api names");
    }
    if !manifest.faults.is_empty() {
        // What else is wrong with the resources that could be read, so that all is known at once.
        let state = std::mem::take(&mut manifest.state);
        let more = tollgate_control::check_declared(state).await;
        let more: Vec<Fault> =
            more.iter().map(|fault| manifest.place(&fault.pointer, &fault.message)).collect();
        let faults = manifest.faults.iter().cloned().chain(more);
        return Ok(refuse(faults.collect()));
    }
    if manifest.is_empty() {
        bail!("these files declare nothing");
    }
    let resources = manifest.len();
    let state = std::mem::take(&mut manifest.state);
    // What is only looked at leaves no audit entry, so nothing has to be sealed.
    let control = if options.dry_run { control(place)? } else { once::control(place).await? };
    let actor = Actor::system().from(Origin::new(Face::Cli, None, None));
    let documents: Vec<(String, Option<String>)> =
        state.apis.iter().map(|api| (api.slug.to_string(), api.document.clone())).collect();
    let changes = match control.apply(&actor, state, options).await {
        Ok(changes) => changes,
        Err(Error::Invalid(faults)) => {
            let faults = faults.iter().map(|fault| manifest.place(&fault.pointer, &fault.message));
            return Ok(refuse(faults.collect()));
        }
        Err(error) => return Err(unreached(error, place)),
    };
    let colours = Colours(io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    say(&report::steps(&changes, colours))?;
    for warning in missing(&documents, &changes, &manifest) {
        eprintln!("warning: {warning}");
    }
    if let Some(line) = report::undeclared(&changes) {
        say(&format!("{line}\n"))?;
    }
    if changes.steps.is_empty() {
        let these = if resources == 1 { "resource is" } else { "resources are" };
        say(&format!("Nothing to change: {resources} {these} as declared.\n"))?;
    }
    Ok(Outcome::Done(changes))
}

/// What callers will miss in the documents that are new or change operations; it holds nothing up.
fn missing(documents: &[(String, Option<String>)], changes: &ChangeSet, manifest: &Manifest) -> Vec<Fault> {
    let is_new = |slug: &str| {
        let mut steps = changes.steps.iter().filter(|step| step.kind == "api" && step.name == slug);
        steps.any(|step| step.operations.is_some())
    };
    let mut warnings = Vec::new();
    for (index, (slug, text)) in documents.iter().enumerate() {
        let Some(text) = text.as_deref().filter(|_| is_new(slug)) else { continue };
        let Ok(document) = Document::parse(text) else { continue };
        for warning in tollgate_openapi::lint(&document, Some(text)) {
            let pointer = format!("/apis/{index}/document{}", warning.pointer);
            let line = warning.line.map_or_else(String::new, |line| format!("line {line}: "));
            warnings.push(manifest.place(&pointer, &format!("{line}{}", warning.message)));
        }
    }
    warnings
}

/// Prints every fault; nothing was changed.
fn refuse(mut faults: Vec<Fault>) -> Outcome {
    // By place, as an author works through them; what is of no file comes last.
    faults.sort_by(|a, b| {
        let place = |fault: &Fault| (fault.file.is_empty(), fault.file.clone(), fault.line, fault.column);
        place(a).cmp(&place(b))
    });
    for fault in &faults {
        eprintln!("{fault}");
    }
    eprintln!("\n{}; nothing was changed.", many(faults.len(), "fault"));
    Outcome::Refused
}

/// Prints the JSON Schema of the files.
pub fn schema() -> anyhow::Result<()> {
    say(&format!("{:#}\n", tollgate_manifest::schema()))
}

/// Prints; a reader who has seen enough (`| head`) is no error.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

fn unreached(error: Error, place: &Place) -> anyhow::Error {
    let away = matches!(error, Error::Unavailable);
    let error = anyhow::Error::new(error);
    match &place.database_url {
        None if away => error.context(format!("is Tollgate running on {}?", place.data_dir.display())),
        Some(_) if away => error.context("DATABASE_URL"),
        _ => error,
    }
}

/// The control plane of DATABASE_URL, or of the process that runs on the data directory here, to read with. Files hold no
/// keys, so whoever compares them needs no pepper.
fn control(place: &Place) -> anyhow::Result<Control> {
    let url = match &place.database_url {
        Some(url) => url.clone(),
        None => database::url_of_running(&place.data_dir)?,
    };
    let unused = Peppers::new(vec![(1, std::array::from_fn(|at| at as u8))])?;
    Ok(Control::new(database::open_store(&url)?, Arc::new(unused), Settings::default()))
}
