//! Units of work: several use cases, or one that is only tried, in one transaction.

use std::sync::{Arc, Mutex, PoisonError};

use tollgate_store::Tx;

use crate::change::Note;
use crate::{Control, Result};

/// What the changes inside a unit did so far.
#[derive(Debug, Default)]
pub(crate) struct UnitLog(Mutex<Vec<Note>>);

/// One transaction that many use cases share. Dropping it undoes all of them.
#[derive(Debug)]
pub struct Unit {
    control: Control,
    /// Of a unit inside another one: the step of the outer one that it is, and who hears what it did.
    step: Option<(Tx, Control)>,
}

impl Control {
    /// Opens a unit of work; inside of another one, a part of that.
    ///
    /// # Errors
    /// The database is away.
    pub async fn open_unit(&self) -> Result<Unit> {
        let log = Some(Arc::default());
        if self.log.is_some() {
            let step = Some((self.store.begin().await?, self.clone()));
            return Ok(Unit { control: Self { log, ..self.clone() }, step });
        }
        let store = self.store.open_unit().await?;
        Ok(Unit { control: Self { store, log, ..self.clone() }, step: None })
    }

    /// Tells the unit, where there is one, what a change did.
    pub(crate) fn made(&self, notes: Vec<Note>) {
        if let Some(log) = &self.log {
            log.0.lock().unwrap_or_else(PoisonError::into_inner).extend(notes);
        }
    }
}

impl Unit {
    /// The brain as it works inside the unit: its changes are steps of the unit, and its reads see them.
    #[must_use]
    pub const fn control(&self) -> &Control {
        &self.control
    }

    /// What was done so far, in order.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        let log = self.control.log.as_ref().expect("a unit's brain has a log");
        log.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until nobody else works under this name, and keeps it until the unit ends.
    ///
    /// # Errors
    /// Somebody else kept it for too long, or the database is away.
    pub async fn take_turn(&self, name: &str) -> Result<()> {
        Ok(self.control.store.take_turn(name).await?)
    }

    /// Runs the checks that would wait for the end.
    ///
    /// # Errors
    /// What they refuse.
    pub async fn check(&self) -> Result<()> {
        Ok(self.control.store.check_unit().await?)
    }

    /// Makes everything last, or part of the unit around it.
    ///
    /// # Errors
    /// A rule was broken or the database went away; then nothing was done.
    pub async fn commit(self) -> Result<()> {
        let notes = self.notes();
        match self.step {
            Some((step, outer)) => {
                step.commit().await?;
                outer.made(notes);
            }
            None => {
                self.control.store.check_unit().await?;
                self.control.store.commit_unit().await?;
            }
        }
        Ok(())
    }
}
