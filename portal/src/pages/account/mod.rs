//! People: signing up, in and out, and the first admin.

pub mod code;
pub mod delete;
pub mod device;
pub mod device_grant;
pub mod email;
pub mod forgotten;
pub mod mails;
pub mod passkey_signin;
pub mod passkeys;
pub mod password;
pub mod profile;
pub mod reset;
pub mod second_factor;
pub mod sessions;
pub mod setup;
pub mod signin;
pub mod signin_with;
pub mod signout;
pub mod signup;
pub mod verify;

use tollgate_control::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};

/// The rules, said before anything is typed.
fn password_rule() -> String {
    crate::say::say("password-rule").with("least", PASSWORD_CHARS_MIN).with("most", PASSWORD_CHARS_MAX).into()
}
