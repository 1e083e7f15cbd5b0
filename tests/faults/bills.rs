//! A control plane that is killed while it writes the bills of a month: none is written twice, none is left out, and none
//! is half there.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tollgate_control::BILLS_TOGETHER;
use tollgate_testkit::{Verdict, peppers_variable};

use crate::kill::{Dice, setting};
use crate::rig::{PATIENCE, Rig, binary, proxied_database, until};

/// Bills that are written together.
const TOGETHER: i64 = BILLS_TOGETHER.cast_signed() as i64;
/// How often that is.
const SETS: i64 = 24;
/// Who is billed: the customer of the stage, and all others.
const CUSTOMERS: i64 = SETS * TOGETHER;

/// Where the process dies. What it says to Postgres tells where it is; the audit entries of a set of bills are its last rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// With the nth set of bills written but for its audit entries.
    Unfinished(u32),
    /// While the nth set is committed, which arrives or does not.
    Committing { nth: u32, arrives: bool },
    /// When the nth set is committed and the next one begins.
    Between(u32),
    /// When all are written and the month is about to be closed.
    Closing,
    /// When it is closed, and the job is not noted as done.
    Closed,
}

/// Kills `victim` where it is told to.
struct Trap {
    victim: Pid,
    place: Place,
    noted: u32,
    committed: u32,
    sprung: bool,
}

impl Trap {
    fn look(&mut self, bytes: &[u8]) -> Verdict {
        let says = |what: &[u8]| bytes.windows(what.len()).any(|part| part.eq_ignore_ascii_case(what));
        let (notes, commits) = (says(b"invoice.issue"), says(b"commit"));
        // Sets are noted one after the other; the text of one may come in pieces.
        if notes {
            self.noted = self.committed + 1;
        }
        let is_bill = commits && self.noted > self.committed;
        let (here, verdict) = match self.place {
            Place::Unfinished(nth) => (notes && self.noted == nth, Verdict::Drop),
            Place::Committing { nth, arrives } => {
                (is_bill && self.noted == nth, if arrives { Verdict::Forward } else { Verdict::Drop })
            }
            Place::Between(nth) => (self.committed == nth, Verdict::Drop),
            Place::Closing => (says(b"insert into billing_months"), Verdict::Drop),
            Place::Closed => (false, Verdict::Forward),
        };
        self.committed += u32::from(is_bill);
        if self.sprung || !here {
            return if self.sprung { Verdict::Drop } else { Verdict::Forward };
        }
        self.sprung = true;
        let _ = kill(self.victim, Signal::SIGKILL);
        verdict
    }
}

/// The month before the last one is over whenever this runs. Customer 7 called 70 times, at a cent each beyond the base fee.
async fn prepare(rig: &Rig) {
    for sql in [
        "update plans set price_minor = 2900",
        "insert into tariffs (plan_id, number, terms) select plan_id, number + 1, terms || jsonb_build_object('meters',
            '[{\"meter\": \"calls\", \"included\": 0, \"price\": {\"scheme\": \"per_unit\", \"unit_minor\": \"1\"}}]'::jsonb)
         from tariffs t where number = (select max(number) from tariffs)",
        "insert into organizations (id, name, slug)
         select gen_random_uuid(), 'Customer ' || n, 'customer-' || n from generate_series(1, 1199) n",
        "insert into applications (id, organization_id, name)
         select gen_random_uuid(), id, 'Program' from organizations where slug like 'customer-%'",
        "insert into subscriptions (id, application_id, organization_id, product_id, plan_id, state)
         select gen_random_uuid(), a.id, a.organization_id, s.product_id, s.plan_id, 'active'
         from applications a, (select product_id, plan_id from subscriptions limit 1) s where a.name = 'Program'",
        "update subscription_terms set tariff = (select max(number) from tariffs),
            begins = date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' - interval '2 months',
            ends = date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' - interval '1 month'",
        "update billing_months set month = month - interval '2 months'",
        "insert into usage_counters (boot_id, credential_id, subscription_id, route_id, status, outcome, minute, calls, charged,
            units, bytes_in, bytes_out, duration_us, organization_id, application_id)
         select gen_random_uuid(), c.id, s.id, gen_random_uuid(), 200, 1, t.begins + interval '1 day', n, n, n, 0, 0, 0,
            s.organization_id, s.application_id
         from subscriptions s join subscription_terms t on t.subscription_id = s.id
         join (select id, 10 * substr(slug, 10)::int as n from organizations where slug like 'customer-%') o
            on o.id = s.organization_id, (select id from credentials limit 1) c",
        // All that comes round is there already, so that it can be told to wait.
        "insert into jobs (id, kind, once, lane) select gen_random_uuid(), kind, 'periodic:' || kind, (kind = 'close_months')::int
         from unnest(array['housekeeping', 'make_planned_changes', 'retire_apis', 'close_months', 'look_after_payments',
            'reconcile', 'prove_usage', 'look_after_keys', 'look_after_funds', 'look_after_quotas', 'look_after_trials',
            'look_after_certificates', 'sum_usage']) kind",
    ] {
        rig.database.run(sql).await;
    }
}

/// A control plane with work to do at once.
async fn control_plane(rig: &Rig) -> Child {
    // Other work would be committed beside the bills, and the trap tells no commit from another.
    rig.database
        .run(
            "update jobs set lease = null, leased_until = null,
                run_at = now() + case when once = 'periodic:close_months' then interval '0' else interval '1 hour' end",
        )
        .await;
    let mut command = Command::new(binary());
    command
        .arg("admin-api")
        .env("DATABASE_URL", proxied_database(rig))
        .env("TOLLGATE_DATA_DIR", rig.data_dir())
        .env("TOLLGATE_PEPPERS", peppers_variable())
        .env("TOLLGATE_ADMIN_LISTEN", "127.0.0.1:0")
        .env("TOLLGATE_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    command.spawn().expect("the binary starts")
}

/// What is there is whole, there once, and on record once. Returns how many bills that are.
async fn check(rig: &Rig, place: Place) -> i64 {
    let count = async |sql| rig.database.count(sql, "").await;
    let bills = count("select count(*) from invoices where $1 = ''").await;
    let others = [
        ("on record", count("select count(*) from audit_entries where action = 'invoice.issue' and $1 = ''").await),
        ("numbered", count("select coalesce(max(last), 0) from invoice_numbers where $1 = ''").await),
        (
            "whose lines add up",
            count(
                "select count(*) from invoices i where $1 = ''
                 and total_minor = (select sum(amount_minor) from invoice_lines l where l.invoice_id = i.id)",
            )
            .await,
        ),
        (
            "of what was used",
            count(
                "select count(*) from invoices i join organizations o on o.id = i.organization_id where $1 = ''
                 and total_minor = 2900 + case when slug like 'customer-%' then 10 * substr(slug, 10)::int else 0 end",
            )
            .await,
        ),
    ];
    for (what, number) in others {
        assert_eq!(number, bills, "{place:?}: bills {what}");
    }
    bills
}

async fn is_closed(rig: &Rig) -> bool {
    let closed = "select count(*) from billing_months where billed and $1 = ''
        and month = (date_trunc('month', now() at time zone 'UTC') - interval '2 months')::date";
    rig.database.count(closed, "").await == 1
}

/// Where it dies in one month, place after place: eight of them, the last two when all is written.
fn places(dice: Option<&mut Dice>) -> [Place; 8] {
    let [first, second, third] = match dice {
        None => [1, 2, 3],
        Some(dice) => [(); 3].map(|()| 1 + u32::try_from(dice.roll(3)).expect("it is below three")),
    };
    [
        Place::Unfinished(first),
        Place::Committing { nth: second, arrives: false },
        Place::Committing { nth: first, arrives: true },
        Place::Between(third),
        Place::Unfinished(third),
        Place::Committing { nth: third, arrives: true },
        Place::Closing,
        Place::Closed,
    ]
}

impl Place {
    /// Sets that are there after a death here, where so many were left.
    fn written(self, left: i64) -> i64 {
        match self {
            Self::Unfinished(nth) | Self::Committing { nth, arrives: false } => i64::from(nth) - 1,
            Self::Committing { nth, arrives: true } | Self::Between(nth) => i64::from(nth),
            Self::Closing | Self::Closed => left,
        }
    }
}

async fn close_a_month(places: [Place; 8]) {
    let rig = Rig::new().await;
    prepare(&rig).await;
    let trap: Arc<Mutex<Option<Trap>>> = Arc::default();
    let watcher = Arc::clone(&trap);
    rig.postgres.watch(move |bytes| {
        let mut trap = watcher.lock().unwrap_or_else(PoisonError::into_inner);
        trap.as_mut().map_or(Verdict::Forward, |trap| trap.look(bytes))
    });
    let mut written = 0;
    for place in places {
        let mut process = control_plane(&rig).await;
        let victim = Pid::from_raw(process.id().expect("it runs").cast_signed());
        *trap.lock().unwrap() = Some(Trap { victim, place, noted: 0, committed: 0, sprung: false });
        if place == Place::Closed {
            until("the month is closed", async || is_closed(&rig).await).await;
            process.start_kill().expect("it runs");
        }
        timeout(PATIENCE, process.wait())
            .await
            .unwrap_or_else(|_| panic!("{place:?} is not reached"))
            .unwrap();
        *trap.lock().unwrap() = None;
        written += place.written(SETS - written);
        // What was on its way when it died arrives, or is undone, when the server notices.
        until("as many as were committed", async || check(&rig, place).await == written * TOGETHER).await;
    }
    let last = control_plane(&rig).await;
    let done =
        "select count(*) from jobs where once = 'periodic:close_months' and run_at > now() and $1 = ''";
    until("one that is left alone", async || rig.database.count(done, "").await == 1).await;
    assert_eq!(check(&rig, Place::Closed).await, CUSTOMERS);
    drop(last);
}

/// As many deaths as `TOLLGATE_FAULTS_ROUNDS` says, eight in each month; those of one month where nobody asks for more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_plane_that_dies_while_it_closes_a_month_bills_nobody_twice_and_forgets_nobody() {
    let months = setting("TOLLGATE_FAULTS_ROUNDS", 8).div_ceil(8);
    let mut dice = Dice(setting("TOLLGATE_FAULTS_SEED", 1));
    for month in 0..months {
        close_a_month(places((month > 0).then_some(&mut dice))).await;
    }
    println!(
        "{} bills, the control plane killed {} times: none lost, none double",
        months * CUSTOMERS.unsigned_abs(),
        months * 8
    );
}
