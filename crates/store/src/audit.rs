//! Who changed what, as a chain of sealed entries.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use tollgate_domain::{OrganizationId, Scope};
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// One entry of the audit log.
#[derive(Debug, Clone, FromRow)]
pub struct AuditRow {
    /// Its place.
    pub sequence: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// system, token, operator, member or visitor.
    pub actor_kind: String,
    /// Who, where there is an id.
    pub actor_id: Option<Uuid>,
    /// What was done, like `plan.update`.
    pub action: String,
    /// To what kind of thing.
    pub subject_kind: String,
    /// To which.
    pub subject_id: Option<Uuid>,
    /// Whose thing it is.
    pub organization_id: Option<Uuid>,
    /// The request that did it.
    pub request_id: Option<String>,
    /// What exactly.
    pub details: Value,
    /// Through which face: admin_api, portal or cli.
    pub face: Option<String>,
    /// The IP address that the request came from.
    pub address: Option<String>,
    /// The program that sent it, as it called itself.
    pub user_agent: Option<String>,
    /// Which pepper the key of the seal was made from.
    pub key_version: Option<i16>,
    /// HMAC-SHA-256 over the seal before and this entry.
    pub seal: Option<Vec<u8>>,
    /// `details` as the database writes them, which is what is sealed.
    details_text: String,
}

/// What an entry is made from.
#[derive(Debug, Clone)]
pub struct NewAuditEntry<'a> {
    /// system, token, operator, member or visitor.
    pub actor_kind: &'a str,
    /// Who, where there is an id.
    pub actor_id: Option<Uuid>,
    /// What was done, like `plan.update`.
    pub action: &'a str,
    /// To what kind of thing.
    pub subject_kind: &'a str,
    /// To which.
    pub subject_id: Option<Uuid>,
    /// Whose thing it is.
    pub organization_id: Option<OrganizationId>,
    /// The request that did it.
    pub request_id: Option<&'a str>,
    /// What exactly; never a secret.
    pub details: &'a Value,
    /// Through which face.
    pub face: Option<&'a str>,
    /// The IP address that the request came from.
    pub address: Option<String>,
    /// The program that sent it, as it called itself.
    pub user_agent: Option<&'a str>,
}

/// Where the log ends.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct AuditHead {
    /// The place of the last entry.
    pub sequence: i64,
    /// Its seal.
    pub seal: Option<Vec<u8>>,
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only entries before this place.
    pub before: Option<i64>,
    /// Only of this actor.
    pub actor_id: Option<Uuid>,
    /// Only of this action, or of all that begin with it where it ends with a dot.
    pub action: Option<String>,
    /// Only of this thing.
    pub subject_id: Option<Uuid>,
    /// Only of this request.
    pub request_id: Option<String>,
    /// Only from this instant on.
    pub since: Option<DateTime<Utc>>,
    /// Only before this instant.
    pub until: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "select *, details::text as details_text from audit_entries";

impl AuditRow {
    /// The bytes that are sealed: every field with its length before it, so that no two entries share them.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = b"tollgate audit entry 1".to_vec();
        let mut field = |value: Option<&[u8]>| match value {
            Some(value) => {
                bytes.extend((value.len() as u64).to_be_bytes());
                bytes.extend(value);
            }
            None => bytes.extend(u64::MAX.to_be_bytes()),
        };
        let text = |text: &Option<String>| text.as_ref().map(|text| text.clone().into_bytes());
        field(Some(&self.sequence.to_be_bytes()));
        field(Some(&self.at.timestamp_micros().to_be_bytes()));
        field(Some(self.actor_kind.as_bytes()));
        field(self.actor_id.as_ref().map(|id| &id.as_bytes()[..]));
        field(Some(self.action.as_bytes()));
        field(Some(self.subject_kind.as_bytes()));
        field(self.subject_id.as_ref().map(|id| &id.as_bytes()[..]));
        field(self.organization_id.as_ref().map(|id| &id.as_bytes()[..]));
        for optional in [&self.request_id, &self.face, &self.address, &self.user_agent] {
            field(text(optional).as_deref());
        }
        field(Some(self.details_text.as_bytes()));
        bytes
    }
}

impl Store {
    /// The latest entries that the scope may see.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_audit(&self, scope: Scope, limit: i64) -> Result<Vec<AuditRow>> {
        self.find_audit(scope, &AuditFilter::default(), limit).await
    }

    /// Entries that the scope may see and the filter lets through, the latest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_audit(&self, scope: Scope, filter: &AuditFilter, limit: i64) -> Result<Vec<AuditRow>> {
        let family = filter.action.as_deref().is_some_and(|action| action.ends_with('.'));
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where ($1::uuid is null or organization_id = $1) and ($2::bigint is null or sequence < $2)
             and ($3::uuid is null or actor_id = $3)
             and ($4::text is null or action = $4 or ($5 and starts_with(action, $4)))
             and ($6::uuid is null or subject_id = $6) and ($7::text is null or request_id = $7)
             and ($8::timestamptz is null or at >= $8) and ($9::timestamptz is null or at < $9)
             order by sequence desc limit $10"
        )))
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(filter.before)
        .bind(filter.actor_id)
        .bind(filter.action.as_deref())
        .bind(family)
        .bind(filter.subject_id)
        .bind(filter.request_id.as_deref())
        .bind(filter.since)
        .bind(filter.until)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The entries after a place, in the order of the chain.
    ///
    /// # Errors
    /// The database failed.
    pub async fn audit_chain(&self, after: i64, limit: i64) -> Result<Vec<AuditRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where sequence > $1 order by sequence limit $2"
        )))
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Where the log ends; none while it is empty.
    ///
    /// # Errors
    /// The database failed.
    pub async fn audit_head(&self) -> Result<Option<AuditHead>> {
        Ok(sqlx::query_as("select sequence, seal from audit_entries order by sequence desc limit 1")
            .fetch_optional(&self.pool)
            .await?)
    }
}

/// What an entry is sealed with.
pub trait AuditSeal: Sync {
    /// Which pepper the key was made from.
    fn key_version(&self) -> i16;
    /// The seal of an entry's canonical bytes after the seal before it (empty for the first).
    fn seal(&self, before: &[u8], canonical: &[u8]) -> [u8; 32];
}

impl Tx {
    /// Adds entries at the end of the chain. Until this transaction ends nobody else adds one.
    ///
    /// # Errors
    /// The database failed; then the whole change is undone.
    pub async fn append_audit(
        &mut self,
        entries: &[NewAuditEntry<'_>],
        sealer: &dyn AuditSeal,
    ) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        sqlx::query("select revision from config_head for update").execute(self.conn()).await?;
        let texts: Vec<String> = entries.iter().map(|entry| entry.details.to_string()).collect();
        let (at, sequence, before, texts): (DateTime<Utc>, Option<i64>, Option<Vec<u8>>, Vec<String>) =
            sqlx::query_as(
                "select now(), last.sequence, last.seal,
                    array(select t::jsonb::text from unnest($1::text[]) with ordinality as u (t, n) order by n)
                 from (select) as one left join lateral
                    (select sequence, seal from audit_entries order by sequence desc limit 1) as last on true",
            )
            .bind(texts)
            .fetch_one(self.conn())
            .await?;
        let (mut sequence, mut before) = (sequence.unwrap_or(0), before.unwrap_or_default());
        let mut rows = Vec::with_capacity(entries.len());
        for (entry, details_text) in entries.iter().zip(texts) {
            sequence += 1;
            let mut row = AuditRow {
                sequence,
                at,
                actor_kind: entry.actor_kind.to_owned(),
                actor_id: entry.actor_id,
                action: entry.action.to_owned(),
                subject_kind: entry.subject_kind.to_owned(),
                subject_id: entry.subject_id,
                organization_id: entry.organization_id.map(OrganizationId::uuid),
                request_id: entry.request_id.map(str::to_owned),
                details: Value::Null,
                face: entry.face.map(str::to_owned),
                address: entry.address.clone(),
                user_agent: entry.user_agent.map(str::to_owned),
                key_version: Some(sealer.key_version()),
                seal: None,
                details_text,
            };
            before = sealer.seal(&before, &row.canonical()).to_vec();
            row.seal = Some(before.clone());
            rows.push(row);
        }
        self.insert_audit_rows(&rows).await
    }

    async fn insert_audit_rows(&mut self, rows: &[AuditRow]) -> Result<()> {
        fn each<'a, T>(rows: &'a [AuditRow], pick: impl Fn(&'a AuditRow) -> T) -> Vec<T> {
            rows.iter().map(pick).collect()
        }
        sqlx::query(
            "insert into audit_entries (sequence, at, actor_kind, actor_id, action, subject_kind, subject_id,
                organization_id, request_id, details, face, address, user_agent, key_version, seal)
             select sequence, at, actor_kind, actor_id, action, subject_kind, subject_id, organization_id, request_id,
                details::jsonb, face, address, user_agent, key_version, seal
             from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::uuid[],
                $8::uuid[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::smallint[], $15::bytea[])
                as t (sequence, at, actor_kind, actor_id, action, subject_kind, subject_id, organization_id, request_id,
                    details, face, address, user_agent, key_version, seal)",
        )
        .bind(each(rows, |row| row.sequence))
        .bind(each(rows, |row| row.at))
        .bind(each(rows, |row| row.actor_kind.as_str()))
        .bind(each(rows, |row| row.actor_id))
        .bind(each(rows, |row| row.action.as_str()))
        .bind(each(rows, |row| row.subject_kind.as_str()))
        .bind(each(rows, |row| row.subject_id))
        .bind(each(rows, |row| row.organization_id))
        .bind(each(rows, |row| row.request_id.as_deref()))
        .bind(each(rows, |row| row.details_text.as_str()))
        .bind(each(rows, |row| row.face.as_deref()))
        .bind(each(rows, |row| row.address.as_deref()))
        .bind(each(rows, |row| row.user_agent.as_deref()))
        .bind(each(rows, |row| row.key_version))
        .bind(each(rows, |row| row.seal.as_deref()))
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
