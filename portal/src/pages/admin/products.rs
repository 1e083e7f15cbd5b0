//! All products.

use axum::extract::State;
use tollgate_domain::{ProductState, Visibility};

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Answer;
use crate::parts::{Action, Asked, Cell, List};
use crate::session::Visit;
use crate::show::Moment;

/// `GET /admin/products`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let cut = asked.cut(&["name", "-created"]);
    let found = state.store.browse_products(asked.get("q"), asked.read("state"), &cut).await?;
    let states = [
        (ProductState::Draft, "Draft"),
        (ProductState::Published, "Published"),
        (ProductState::Retired, "Retired"),
    ];
    let list = List::new("products", "All products")
        .searched(&asked, "name or slug")
        .filtered(&asked, "state", "State", "Any state", states.map(|(state, text)| (state.as_str(), text)))
        .sortable("Product", &asked, "name", &cut)
        .column("State")
        .column("Seen by")
        .numbers("APIs")
        .numbers("Plans")
        .numbers("Subscriptions")
        .sortable("Created", &asked, "created", &cut)
        .or_empty(
            "package",
            "No product yet",
            "Developers subscribe to products: APIs offered together, on plans with limits and prices.",
        )
        .or_do(desk.may_write, "/admin/new/product", "Create product")
        .found(&asked, found, |row| {
            vec![
                Cell::Link {
                    href: format!("/admin/products/{}", row.slug),
                    text: row.name,
                    second: row.slug,
                },
                Cell::Label(row.state.into()),
                Cell::Text(seen_by(row.visibility).to_owned()),
                Cell::number(row.apis),
                Cell::number(row.plans),
                Cell::number(row.subscriptions),
                Cell::When(Moment::of(row.created_at, visit.now)),
            ]
        });
    sheet(&visit, "Products")
        .await?
        .intro("APIs offered together, and the plans they are offered on.")
        .action(desk.may_write, Action::main("/admin/new/product", "plus", "Create product"))
        .part(list)
        .answer(&visit, &asked)
}

/// Who sees a product in the portal.
#[must_use]
pub const fn seen_by(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "everybody",
        Visibility::SignedIn => "people who signed in",
        Visibility::Chosen => "chosen organizations",
    }
}
