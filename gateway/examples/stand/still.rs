//! A control plane in memory in which nothing changes, and which takes all that it is told.

use std::sync::Mutex;

use async_trait::async_trait;
use tollgate_domain::{ApplicationId, Blueprint, CalendarMonth, ConsumerApplication, UsageCount};
use tollgate_gateway::source::{
    FeedChange, FullLoad, Head, Heartbeat, Hints, LeaseAsk, LeaseGrant, LeaseReturn, NewRequest, QuotaAnswer,
    QuotaMark, QuotaQuestion, RecordError, Source, SourceError,
};
use uuid::Uuid;

pub struct Still {
    blueprint: Blueprint,
    /// Given away at the first load: a gateway's memory is to be measured, not theirs.
    applications: Mutex<Vec<ConsumerApplication>>,
}

impl Still {
    pub const fn new(blueprint: Blueprint, applications: Vec<ConsumerApplication>) -> Self {
        Self { blueprint, applications: Mutex::new(applications) }
    }
}

#[async_trait]
impl Source for Still {
    async fn head(&self) -> Result<(Head, Option<chrono::DateTime<chrono::Utc>>), SourceError> {
        Ok((Head { epoch: self.blueprint.epoch, revision: self.blueprint.revision }, None))
    }

    async fn pepper_fingerprint(&self, _version: i16) -> Result<Option<String>, SourceError> {
        Ok(None)
    }

    async fn full(&self) -> Result<FullLoad, SourceError> {
        let applications = std::mem::take(&mut *self.applications.lock().expect("one thread loads"));
        Ok(FullLoad { blueprint: self.blueprint.clone(), applications })
    }

    async fn changes(&self, _after: i64) -> Result<Option<Vec<FeedChange>>, SourceError> {
        Ok(Some(Vec::new()))
    }

    async fn blueprint(&self, _known: Option<&Blueprint>) -> Result<Blueprint, SourceError> {
        Ok(self.blueprint.clone())
    }

    async fn consumers(&self, _ids: &[ApplicationId]) -> Result<Vec<ConsumerApplication>, SourceError> {
        Ok(Vec::new())
    }

    async fn listen(&self) -> Result<Box<dyn Hints>, SourceError> {
        Ok(Box::new(Silence))
    }

    async fn record_usage(&self, _counts: &[UsageCount]) -> Result<(), RecordError> {
        Ok(())
    }

    async fn lease_budgets(&self, _: Uuid, _: &[LeaseAsk]) -> Result<Vec<LeaseGrant>, SourceError> {
        Ok(Vec::new())
    }

    async fn return_leases(&self, _: Uuid, _: &[LeaseReturn]) -> Result<(), SourceError> {
        Ok(())
    }

    async fn bury(&self, _: &[Uuid]) -> Result<(), SourceError> {
        Ok(())
    }

    async fn quota_used_elsewhere(
        &self,
        _month: CalendarMonth,
        _boot_id: Uuid,
        _question: QuotaQuestion,
    ) -> Result<QuotaAnswer, SourceError> {
        let mark = QuotaMark { epoch: self.blueprint.epoch, transaction: 1 };
        Ok(QuotaAnswer { mark, used: Vec::new(), complete: true })
    }

    async fn record_requests(&self, _calls: &[NewRequest]) -> Result<(), RecordError> {
        Ok(())
    }

    async fn heartbeat(&self, _heartbeat: &Heartbeat) -> Result<(), SourceError> {
        Ok(())
    }
}

struct Silence;

#[async_trait]
impl Hints for Silence {
    async fn next(&mut self) -> Result<(), SourceError> {
        std::future::pending().await
    }
}
