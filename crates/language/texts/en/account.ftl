account-intro = Who you are here, and where you are signed in.
account-alone = You run this platform with a password alone
account-alone-text = Whoever gets hold of it sees every key and developer. A second factor takes a minute.
account-set-it-up = Set it up
account-profile = Profile
account-member-since = Member since
account-signing-in = Signing in
account-password = Password
account-password-text = Changing it signs everybody else out.
account-second-factor = Second factor
account-factor-on = On: signing in takes a code from your phone.
account-factor-off = Off: your password alone signs you in.
account-manage = Manage
account-set-up = Set up
account-signed-in = Signed in
account-sign-out-others = Sign out all others
account-browser = Browser
account-address = Address
account-last-seen = Last seen
account-this-one = This one
account-unknown = unknown
account-data = Your data
account-take = Take it with you
account-take-text = Everything that is kept about you, as JSON.
account-download = Download
account-delete = Delete account
account-delete-text = Your address is forgotten, and what only you own ends.
account-delete-more = Delete…

account-a-browser = A browser
account-confirmed = Confirmed
account-unconfirmed = Not confirmed
account-your-email = Your e-mail
account-your-password = Your password
account-current-password = Current password
account-new-password = New password

code-title = Second step
code-text = Your authenticator shows a new code every half minute. Without it, one of your recovery codes signs you in once.
code-back = {""}[Back to e-mail and password](/signin)

code-code = Code

delete-text = Applications and keys of organizations that nobody else belongs to stop working at once. Your address is forgotten; counted calls stay for the bill. There is no way back.
delete-keep = Keep it
delete-recent = You sign in through a provider, so there is no password to ask for. It is enough that you signed in within the last ten minutes.

forgotten-look = Look into your mail
forgotten-sent = If { $email } has an account, a link is on its way to it. It works once, for 10 minutes.
forgotten-again = Ask again
forgotten-back = Back to sign in
forgotten-title = Forgotten password
forgotten-text = A link that sets a new one is sent to the address of your account.
forgotten-send = Send the link

password-change = Change password
password-signs-out = Everybody who is signed in with the old one is signed out.

reset-title = Set a new password
reset-set = Set password

recovery-title = Recovery codes
recovery-text = Each signs you in once when your phone is lost. Print them, or keep them with your passwords.
recovery-on = The second factor is on
recovery-only-time = This is the only time these codes are shown. Older ones no longer work.
recovery-ten = Ten codes
recovery-stored = I have stored them
recovery-once = They were shown once
recovery-new-text = If you did not keep them, make new ones.
recovery-new = New codes

factor-text = With it, a stolen password opens nothing: signing in also takes the code that your phone shows.
factor-take = 1. Take it into your authenticator
factor-take-text = Scan this with an authenticator app, or type the key into it.
factor-qr = QR code of the key below
factor-show = 2. Show that it works
factor-turn-on = Turn on
factor-set-up = Set up
factor-left = Recovery codes left
factor-of-ten = { $codes_left } of 10
factor-new-codes = New recovery codes
factor-turn-off = Turn off

factor-code-now = Code that it shows now
factor-either = For either of these:

setup-title = Make the first admin
setup-text = This link works once. The account you make here runs the platform: it sees every API, developer and call.
setup-create = Create admin

signin-text = To your applications, keys and usage.
signin-forgotten = Forgotten password?
signin-no-account = No account yet? [Get a key](/signup)

signup-product = You get an application subscribed to { $name } on its { $plan } plan, and a key that works at once.
signup-plain = You get an account and an application of your own. Keys work at once.
signup-create = Create account and key
signup-already = Already have an account? [Sign in]({ $signin_href })

verify-title = Confirm your address
verify-text = One click shows that the mail reached you. Live keys and invitations wait for it.
verify-confirm = Confirm address

verify-done = Your address is confirmed.
verify-sent = A new link is on its way to { $email }. Older ones no longer work.
reset-done = Your new password is set, and everybody who was signed in is signed out.
sessions-one = That session is signed out.
sessions-ended = { $count ->
    [one] One session is signed out. This one stays.
   *[other] { $count } sessions are signed out. This one stays.
}
password-rule = { $least } to { $most } characters, spaces welcome. Three or four random words are good.
password-done = Your password is changed. Everybody else who was signed in is signed out.
factor-off-done = The second factor is off. Your password alone signs you in.
delete-done = Your account is deleted. Its keys stop working within seconds.
setup-done = You run this platform now. The link is used up.

account-no-password = You have none. Setting one takes a link that we send you.
account-set = Set
account-passkeys = Passkeys
account-no-passkey = None: with one, your phone or a security key signs you in.
account-one-passkey = One signs you in without a password.
account-some-passkeys = { $passkeys } sign you in without a password.
account-add = Add

passkey-text = A passkey signs you in with what unlocks your phone, laptop or security key. It cannot be guessed, and no other site can ask for it.
passkey-yours = Yours
passkey-none = You have none so far.
key-rename = Rename
passkey-add-one = Add one
passkey-add = Add a passkey
passkey-back = Back to your account
passkey-javascript = Adding a passkey needs JavaScript: the browser itself makes it.
passkey-not-here = Browsers make no passkeys here

passkey-know-by = To know it by, like the device that holds it.
passkey-not-here-text = They belong to a name like portal.example, reached by https. Whoever runs this site sets it as the portal's URL.
passkey-instead = Use a passkey instead
passkey-sign-in = Sign in with a passkey
account-identity-as = As { $email }.
account-identity-used = Used { $at }.
passkey-added = Added { $at }.
passkey-never = Never used.
passkey-new-name = New name of { $name }
setup-run = Run this platform
setup-invited = You were invited as { $role }. The link works once; who has an account already types its password.
setup-accept = Accept
email-change = Change e-mail address
email-change-text = Both addresses get a mail. Yours stays *{ $email }* until the new one is confirmed.
email-new = New e-mail address
email-code = Code of your authenticator
email-send = Send the link
email-sent = A link is on its way to { $email }. Your address changes when it is opened.
email-confirm = Use this address
email-confirm-title = Your new address
email-confirm-text = Your account is to have the address *{ $email }*. You sign in with it from then on.
email-done = Your address is { $email } now.

device-title = Let a command line in
device-text = A terminal that ran tollgate login shows a code. Whoever types it here lets that terminal have a key.
device-code = Code
device-hint = Eight letters, like WDJB-MJHT. It ends ten minutes after it was shown.
device-look = Look
device-asks = A command line asks for a key
device-from = It asked from { $address }, { $when }. If that was not you, or somebody sent you this code, turn it away.
device-gets = It gets a new sandbox key of one application: calls with it are never billed, and you can revoke it on the application's page at any time. It learns nothing else, and cannot sign in as you.
device-application = Application
device-no-application = You have no application that could have a key. [Create one](/applications) first.
device-allow = Give it a sandbox key
device-deny = Turn it away
device-allowed = Let in. The terminal shows its key within seconds.
device-denied = Turned away. It got nothing.
