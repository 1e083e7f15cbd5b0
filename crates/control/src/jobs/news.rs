//! Mails that follow from what happened, to all whom it concerns: new invoices, APIs that will go, teams that changed.

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use tollgate_domain::{ApiId, InvoiceId, MemberRole, OrganizationId, Scope, UserId};
use tollgate_store::ApiRow;
use uuid::Uuid;

use super::letters::reads;
use super::worker::Failure;
use super::{Job, TeamChange};
use crate::change::Note;
use crate::events::Event;
use crate::mail::{self, Post};
use crate::{Control, Result};

/// Work that follows from events.
pub(crate) fn of_events(told: &[Event]) -> Vec<Job> {
    let id = |event: &Event| -> Option<InvoiceId> { event.data["invoice"]["id"].as_str()?.parse().ok() };
    let invoices = told
        .iter()
        .filter(|event| event.kind == "invoice.finalized")
        .filter_map(|event| Some(Job::TellOfInvoice { invoice_id: id(event)? }));
    let apis = told
        .iter()
        .filter(|event| event.kind == "api.deprecated")
        .filter_map(|event| Some(Job::TellOfApi { api_id: event.api? }));
    invoices.chain(apis).collect()
}

/// Work that follows from a line of the audit log about a team; `by` is who acted.
pub(crate) fn of_team(note: &Note, by: Option<UserId>) -> Option<Job> {
    let role = |value: &Value| -> Option<MemberRole> { value["role"].as_str()?.parse().ok() };
    let details = &note.details;
    let change = match note.action.as_str() {
        "member.create" => TeamChange::Joined { role: role(details)? },
        "member.update" => TeamChange::Role { role: role(&details["after"])? },
        "member.delete" if details["left"] == true => TeamChange::Left {},
        "member.delete" => TeamChange::Removed {},
        _ => return None,
    };
    let (organization_id, user_id) = (note.subject.organization?, note.subject.id.into());
    Some(Job::TellOfTeam { organization_id, user_id, change, by })
}

impl Control {
    pub(super) async fn tell_of_invoice(&self, invoice_id: InvoiceId) -> Result<()> {
        let row = self.store.get_invoice(Scope::Operator, invoice_id).await?;
        for user_id in self.store.list_payers(row.organization_id).await? {
            let once = format!("invoice_ready:{invoice_id}:{user_id}");
            self.queue(&Job::InvoiceReady { invoice_id, user_id }, Some(&once), None).await?;
        }
        Ok(())
    }

    /// Told anew where the day or the successor changes: what is asked once is this state of it.
    pub(super) async fn tell_of_api(&self, api_id: ApiId) -> Result<()> {
        let row = self.store.get_api(api_id).await?;
        if !row.state.is_ending() {
            return Ok(());
        }
        for (organization_id, user_id) in self.store.list_api_readers(api_id).await? {
            let once = format!("api_ends:{api_id}:{}:{organization_id}:{user_id}", row.version);
            self.queue(&Job::ApiEnds { api_id, organization_id, user_id }, Some(&once), None).await?;
        }
        Ok(())
    }

    /// Those who still call it, each once for this day before its end.
    pub(super) async fn remind_of_api(&self, id: Uuid, api_id: ApiId) -> Result<()> {
        for (organization_id, user_id) in self.store.list_api_callers(api_id).await? {
            let once = format!("api_ends_soon:{id}:{organization_id}:{user_id}");
            self.queue(&Job::ApiEndsSoon { api_id, organization_id, user_id }, Some(&once), None).await?;
        }
        Ok(())
    }

    /// Owners are told, except who did it; of who is gone for good, there is no address to tell.
    pub(super) async fn tell_of_team(
        &self,
        id: Uuid,
        organization_id: OrganizationId,
        about: UserId,
        change: &TeamChange,
        by: Option<UserId>,
    ) -> Result<()> {
        let Some(person) = self.store.find_user(about).await? else { return Ok(()) };
        for user_id in self.store.list_payers(organization_id).await? {
            if Some(user_id) == by || user_id == about {
                continue;
            }
            let (email, change) = (person.email.clone(), change.clone());
            let job = Job::TeamChanged { organization_id, user_id, email, change };
            self.queue(&job, Some(&format!("team:{id}:{user_id}")), None).await?;
        }
        Ok(())
    }

    pub(super) async fn send_invoice_ready(
        &self,
        id: Uuid,
        invoice: InvoiceId,
        user_id: UserId,
        post: &Post<'_>,
    ) -> std::result::Result<(), Failure> {
        let Some(user) = self.reader(user_id).await? else { return Ok(()) };
        let row = self.store.get_invoice(Scope::Operator, invoice).await?;
        let link = format!("{}/billing/invoices/{invoice}", post.url());
        let about = (row.number.as_str(), row.month());
        let letter = mail::invoice_ready(reads(&user), about, row.due(), row.due_at, &link);
        self.write(id, &user, Some(row.organization_id), &letter, post).await
    }

    pub(super) async fn send_api_ends(
        &self,
        id: Uuid,
        api: ApiId,
        (organization, user_id): (OrganizationId, UserId),
        post: &Post<'_>,
    ) -> std::result::Result<(), Failure> {
        let Some(user) = self.reader(user_id).await? else { return Ok(()) };
        let row = self.store.get_api(api).await?;
        let successor = self.successor_name(&row).await?;
        // Where nothing is subscribed any more, there is nothing to tell.
        let Some(product) = self.store.find_product_of(organization, api).await? else { return Ok(()) };
        let link = format!("{}/products/{product}/apis/{}", post.url(), row.slug);
        let letter = mail::api_ends(reads(&user), &row.name, row.sunset_at, successor.as_deref(), &link);
        self.write(id, &user, Some(organization), &letter, post).await
    }

    async fn successor_name(&self, api: &ApiRow) -> Result<Option<String>> {
        Ok(match api.successor() {
            Some(id) => Some(self.store.get_api(id).await?.name),
            None => None,
        })
    }

    pub(super) async fn send_api_ends_soon(
        &self,
        id: Uuid,
        api: ApiId,
        (organization, user_id): (OrganizationId, UserId),
        post: &Post<'_>,
    ) -> std::result::Result<(), Failure> {
        let Some(user) = self.reader(user_id).await? else { return Ok(()) };
        let row = self.store.get_api(api).await?;
        // It may stay after all, or be gone already.
        let left = row.sunset_at.filter(|_| row.state.is_ending()).map(|at| (at, at - Utc::now()));
        let Some((sunset, left)) = left.filter(|(_, left)| *left > TimeDelta::zero()) else { return Ok(()) };
        let successor = self.successor_name(&row).await?;
        let callers = self.store.list_calling_applications(organization, api).await?;
        let Some(product) = self.store.find_product_of(organization, api).await? else { return Ok(()) };
        let link = format!("{}/products/{product}/apis/{}", post.url(), row.slug);
        let ending = (row.name.as_str(), sunset, left.num_hours() / 24 + 1);
        let letter = mail::api_ends_soon(reads(&user), ending, successor.as_deref(), &callers, &link);
        self.write(id, &user, Some(organization), &letter, post).await
    }

    pub(super) async fn send_team_changed(
        &self,
        id: Uuid,
        (organization, user_id): (OrganizationId, UserId),
        email: &str,
        change: &TeamChange,
        post: &Post<'_>,
    ) -> std::result::Result<(), Failure> {
        let Some(user) = self.reader(user_id).await? else { return Ok(()) };
        let name = self.store.get_organization(Scope::Operator, organization).await?.name;
        let link = format!("{}/team", post.url());
        let letter = mail::team_changed(reads(&user), &name, email, change, &link);
        self.write(id, &user, Some(organization), &letter, post).await
    }
}
