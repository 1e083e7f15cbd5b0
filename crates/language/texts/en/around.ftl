around-skip = Skip to content
around-main = Main
around-palette-hint = Arrow keys move, Enter opens, Esc closes.
around-search = Search
around-account-menu = Account menu for { $email }
around-sign-in = Sign in
around-menu = Menu
around-signed-in-as = Signed in as *{ $email }*
around-sign-out = Sign out
around-theme = Theme
around-pages-now = Pages, now { $here }
around-pages = Pages
around-confirm = Confirm your address with the link that was sent to *{ $email }*. Everything in the sandbox works without.
around-send-again = Send it again
around-products = Products
around-guides = Guides
around-changelog = Changelog
around-status = Status
around-errors = Error codes

around-language = Language
around-portal = Portal
around-applications = Applications
around-billing = Billing
around-usage = Usage
around-limits = Limits
around-requests = Requests
around-webhooks = Webhooks
around-team = Team
around-admin = Admin
around-account = Account
around-get-started = Get started
around-build = Build
around-explore = Explore
around-you = You
around-theme-system = System theme
around-theme-light = Light theme
around-theme-dark = Dark theme

ui-copy = Copy
ui-terminal = Terminal
ui-command = Command
ui-answer = Answer
ui-answered = Answered
ui-failed = Refused or failed
ui-highest = highest { $top }
ui-as-table = { $title } as a table
ui-from = From
ui-calls = Calls

ui-copied = Copied
ui-press-copy = Press Ctrl+C
ui-open-markdown = Open Markdown
ui-no-answer = The portal did not answer. Try again.

parts-breadcrumb = Breadcrumb
parts-views = Views of { $title }
parts-go-to = Go to { $name }
parts-copy-page = Copy page
parts-members = Members

error-again = Try again
error-back = Back to the products
error-request-id = Request id

# How things are written everywhere.
show-just-now = just now
show-in-a-moment = in a moment
show-minutes-ago = { $count ->
    [one] { $count } minute ago
   *[other] { $count } minutes ago
}
show-hours-ago = { $count ->
    [one] { $count } hour ago
   *[other] { $count } hours ago
}
show-days-ago = { $count ->
    [one] { $count } day ago
   *[other] { $count } days ago
}
show-in-minutes = { $count ->
    [one] in { $count } minute
   *[other] in { $count } minutes
}
show-in-hours = { $count ->
    [one] in { $count } hour
   *[other] in { $count } hours
}
show-in-days = { $count ->
    [one] in { $count } day
   *[other] in { $count } days
}
show-on-day = on { $day }
show-under-a-tenth = under { $least } %
show-none = none
show-operations = { $count ->
    [one] { $count } operation
   *[other] { $count } operations
}
show-requests-per = { $count ->
    [one] { $count } request
   *[other] { $count } requests
} per { $period ->
    [second] second
    [minute] minute
    [hour] hour
    [day] day
   *[month] month
}
show-calls-per = { $count ->
    [one] { $count } call
   *[other] { $count } calls
} per { $period ->
    [second] second
    [minute] minute
    [hour] hour
    [day] day
   *[month] month
}
state-active = Active
state-suspended = Suspended
state-revoked = Revoked
state-requested = Waiting for approval
state-ended = Ended
outcome-served = Answered by the service
outcome-rate-limited = Refused: rate limit
outcome-quota-exceeded = Refused: quota used up
outcome-upstream-failed = Service did not answer
outcome-canceled = Caller went away
outcome-abandoned = Given up before the service was asked
outcome-unknown = Unknown

# Forms.
form-one-wrong = One thing to change; nothing was saved.
form-some-wrong = A few things to change; nothing was saved.
form-wrong-password = The e-mail or the password is wrong. Check both and try again.

# What goes wrong, by the code of the problem.
fault-not-found = There is nothing here
fault-not-found-text = The address may be mistyped, or the thing was removed, or it belongs to somebody else.
fault-forbidden = Your role does not allow this
fault-forbidden-text = Operators of the platform can give you another role.
fault-too-many-tries = Too many tries
fault-too-many-tries-text = Wait a while, then try again. Nobody else is affected.
fault-dead-link = This link is no longer valid
fault-dead-link-text = It was used, or it is too old, or a newer one was sent since. Ask for a new one where you got it.
fault-cross-site = This form was sent by another site
fault-cross-site-text = Nothing was done. Open the page here and send the form again.
fault-payment-provider-unavailable = The payment provider cannot be reached
fault-payment-provider-unavailable-text = Nothing was paid or changed, and your calls are served as before. Try again in a minute.
fault-internal = Something broke on our side
fault-internal-text = It was noted. Try again; if it stays so, tell the operator the request id.
ui-continue-with = Continue with { $name }
ui-or-email = or with your e-mail
around-seen-as = You see the portal as *{ $name }* does. Nothing can be changed, and that you look is on record.
around-stop = Stop
list-of = of { $title }
list-find-by = Find by { $what }
list-find = Find
list-none-filtered = Nothing matches these filters
list-none-like = Nothing matches “{ $value }”
list-none-text = Search looks for words that begin like yours.
list-show-all = Show all
list-nothing-further = Nothing further
list-ended = The list ends before this page.
list-pages-of = Pages of { $title }
list-previous = Previous
list-next = Next
fields-nothing-to-choose = There is nothing to choose yet.
fields-changed-meanwhile = Somebody else changed this while you were typing
fields-changed-text = Nothing of yours is saved yet, and nothing of theirs is lost. Below is your version; saving again replaces theirs.
fields-both = Both versions
fields-field = Field
fields-yours = Yours
fields-theirs = Saved by somebody else
