//! The payment provider Stripe: what we ask of it, and what it says to us.
