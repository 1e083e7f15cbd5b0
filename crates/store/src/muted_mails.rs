//! Which mails people do without, and who reads those that go to many.

use tollgate_domain::{ApiId, MailTopic, OrganizationId, UserId};
use uuid::Uuid;

use crate::{Result, Store, Tx};

impl Store {
    /// What a member switched off.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_muted(&self, organization: OrganizationId, user: UserId) -> Result<Vec<MailTopic>> {
        let topics: Vec<String> =
            sqlx::query_scalar("select topic from muted_mails where organization_id = $1 and user_id = $2")
                .bind(organization.uuid())
                .bind(user.uuid())
                .fetch_all(&self.pool)
                .await?;
        // One that only a newer version knows is none of ours.
        Ok(topics.iter().filter_map(|topic| topic.parse().ok()).collect())
    }

    /// Whether a member switched mails of a topic off.
    ///
    /// # Errors
    /// The database failed.
    pub async fn is_muted(
        &self,
        organization: OrganizationId,
        user: UserId,
        topic: MailTopic,
    ) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from muted_mails where organization_id = $1 and user_id = $2 and topic = $3)",
        )
        .bind(organization.uuid())
        .bind(user.uuid())
        .bind(topic.as_str())
        .fetch_one(&self.pool)
        .await?)
    }

    /// Where an API is read about, as somebody of an organization that subscribed to it sees it: the product's slug.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_product_of(&self, organization: OrganizationId, api: ApiId) -> Result<Option<String>> {
        Ok(sqlx::query_scalar(
            "select p.slug from product_apis pa join products p on p.id = pa.product_id
             join subscriptions s on s.product_id = p.id and s.organization_id = $1 and s.state in ('active', 'suspended')
             where pa.api_id = $2 order by p.slug limit 1",
        )
        .bind(organization.uuid())
        .bind(api.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Whom the end of an API concerns: members of the organizations that may call it, except who only looks.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_api_readers(&self, api: ApiId) -> Result<Vec<(OrganizationId, UserId)>> {
        let ids: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "select distinct m.organization_id, m.user_id
             from product_apis pa join subscriptions s on s.product_id = pa.product_id and s.state in ('active', 'suspended')
             join members m on m.organization_id = s.organization_id and m.role <> 'viewer'
             join users u on u.id = m.user_id and u.disabled_at is null and u.email_verified_at is not null
             where pa.api_id = $1 order by 1, 2",
        )
        .bind(api.uuid())
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(|(organization, user)| (organization.into(), user.into())).collect())
    }

    /// Whom the nearing end of an API concerns: as [`Store::list_api_readers`], of those organizations that called it in the
    /// last 30 days.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_api_callers(&self, api: ApiId) -> Result<Vec<(OrganizationId, UserId)>> {
        let calling: Vec<Uuid> = sqlx::query_scalar(
            "select distinct u.organization_id from usage_counters u join routes r on r.id = u.route_id
             where r.api_id = $1 and u.minute > now() - interval '30 days'",
        )
        .bind(api.uuid())
        .fetch_all(&self.pool)
        .await?;
        let mut readers = self.list_api_readers(api).await?;
        readers.retain(|(organization, _)| calling.contains(&organization.uuid()));
        Ok(readers)
    }

    /// The applications of an organization that called an API in the last 30 days, by name; the first ten.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_calling_applications(
        &self,
        organization: OrganizationId,
        api: ApiId,
    ) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar(
            "select distinct a.name from usage_counters u join routes r on r.id = u.route_id
             join applications a on a.id = u.application_id and a.deleted_at is null
             where u.organization_id = $1 and r.api_id = $2 and u.minute > now() - interval '30 days' order by 1 limit 10",
        )
        .bind(organization.uuid())
        .bind(api.uuid())
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Switches off what a member does without, and everything else on.
    ///
    /// # Errors
    /// The database failed; the user is no member.
    pub async fn put_muted(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        topics: &[MailTopic],
    ) -> Result<()> {
        let topics: Vec<&str> = topics.iter().map(|topic| topic.as_str()).collect();
        sqlx::query(
            "delete from muted_mails where organization_id = $1 and user_id = $2 and topic <> all($3)",
        )
        .bind(organization.uuid())
        .bind(user.uuid())
        .bind(&topics)
        .execute(self.conn())
        .await?;
        sqlx::query(
            "insert into muted_mails (organization_id, user_id, topic) select $1, $2, unnest($3::text[])
             on conflict do nothing",
        )
        .bind(organization.uuid())
        .bind(user.uuid())
        .bind(&topics)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
