//! Stripe's double as a process, for journeys in a browser: prints where it listens, and delivers its events to the address
//! that it reads from its input. Ends with its input.

use tokio::io::{AsyncBufReadExt, BufReader};
use tollgate_testkit::StripeDouble;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let double = StripeDouble::start().await;
    println!("{}", double.url());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(hook) = lines.next_line().await? {
        double.deliver_to(hook.trim());
    }
    Ok(())
}
