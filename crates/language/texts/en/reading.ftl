home-title = Real data, one key, one line of curl
home-intro = Pick a product, sign up with an e-mail address, and make your first call within a minute. The free plans need no card and no approval.
home-read = Read the reference
home-two-fields = Two fields. Your key is on the next page.
home-run = Run
home-run-note = A real call, at once: no account needed.
home-example-answer = Example answer
home-none = No product is published yet
home-none-text = The first one appears here as soon as its publisher opens it.

home-page = APIs you can call in a minute
home-free-plan = free plan
home-from = from { $price }
home-no-open-plan = no open plan

product-plans = Plans
product-no-plan = No plan is open
product-no-plan-text = This product can be read about, but not subscribed to yet.
product-no-limits = No limits
product-key-on = Get a key on { $name }
product-subscribe-one = Subscribe { $name }
product-application = Application
product-subscribe = Subscribe
product-subscribed = { $who } is subscribed
product-other-plan = Your applications use another plan of this product.
product-not-yet = Not yet available. The price is shown so that you can plan.
product-calls-a-month = Calls a month
product-currency = Currency
product-work-out = Work out what it costs
product-show-prices = Show these prices
product-base-url = Base URL
product-every-call = Every call carries
product-reference = Reference
product-document = OpenAPI document
product-version = version { $version }
product-undescribed = No operations are described
product-undescribed-text = The publisher has not attached an OpenAPI document yet.
product-has-page = Each has its page in the reference, with sample calls in eleven languages.
product-open-reference = Open the reference

product-free = Free
product-per-month = per month
product-ends-at = Ends at { $calls } calls a month
product-a-month = { $total } a month
product-asked = { $product } was asked for. An operator decides.
product-done = Subscribed to { $product }. Its keys open it at once.
product-already = This application is subscribed to { $product }.
product-approval = Approval needed
product-prepaid = Paid in advance
product-prepaid-text = Calls are paid from credits and stop when none are left: no invoice can surprise you
product-per-unit = per { $unit }
product-from-per-unit = per { $unit }, at best
product-at-least = per month at least
product-once = once
product-soon = Not yet available

operation-deprecated = Deprecated
operation-try = Try it
operation-terms = Cost and limits
operation-counts = One call counts as one. Calls that the gateway refuses count nothing, and a 5xx gives its call back. What is left stands in the answer's `RateLimit` header.
operation-policy-counts = { $scope ->
    [platform] For all APIs here together
    [api] For all operations of this API together
   *[operation] For this operation
}, { $per ->
    [subscription] for each subscription
    [credential] for each key
   *[all] for all callers
}, whatever the plan
operation-refusals = Refusals
operation-before = before the API sees the call
operation-all-refusals = All refusals and how to fix them
operation-example = Example
operation-carries-key = The call carries your sandbox key and works as pasted.
operation-replace = Replace `YOUR_KEY` by your own. [Get a key]({ $href })
operation-replace-own = Replace `YOUR_KEY` by one of your keys. [Your applications](/applications)

body-who = Who calls
api-who-text = Your key, in the header `X-API-Key` or as `Authorization: Bearer`
api-refusals-text = Problem details (RFC 9457), each with [a page of its own](/problems)

schema-definition = Definition
schema-nothing-more = Nothing more is said about it.
schema-used-by = Used by

schema-schema = Schema
schema-schemas = Schemas
schema-webhook = Webhook

body-to-you = what the API sends to you

body-webhook-note = The API sends this to an address of yours. Answer with a status from 200 to 299.
body-sent = What is sent
body-request = Request body
body-required = required
body-your-answer = Your answer
body-answers = Answers
body-headers = Headers
body-callbacks = Callbacks
body-in-turn = what the API sends you in turn
body-expects = Expects the answer { $answers }
body-send-key = Send your key in the header `X-API-Key`, or as `Authorization: Bearer`. The gateway takes it out before the call goes on.

body-also-names = The document also names { $ways }; with a key of this portal that is taken care of.

samples-call-in = Call in
samples-made = made from the schema

side-of = Reference of { $api }
side-all-schemas = All schemas

side-overview = Overview
side-operations = Operations
side-more = More

changelog-intro = What changed for those who call, newest first.
changelog-feed = Feed
changelog-none = Nothing changed yet
changelog-none-text = News of the APIs appear here and in the feed.

guides-intro = From the first call to running in earnest.
guides-operators = For operators of this portal
guides-none = No guide is written yet
guides-none-text = The reference of each product says what it can do.

guide-on-page = On this page
guide-others = Other guides

status-none = No API is published
status-none-text = Each appears here with its state as soon as it is.
status-state = State
status-note = Counted by the gateways from real calls: a call counts as failed where the API answered 5xx or not at all. Refusals by limits are not failures.

status-quiet = Quiet
status-quiet-note = No calls in the last 15 minutes
status-working = Working
status-some-fail = Some calls fail
status-down = Down
status-failed = { $share } of calls failed in the last 15 minutes, { $mean } on average
status-trouble = Trouble
status-trouble-text = At least one API is down.
status-degraded = Degraded
status-degraded-text = At least one API fails some of its calls.
status-working-text = No API is known to fail.

problems-example = Example
problems-meaning = Meaning and code

problems-intro = Every refusal is a problem document (RFC 9457). Its `type` links to one of these pages.
problems-gateway = From the gateway
problems-gateway-note = Calls of your applications
problems-admin-api = From the admin API
problems-admin-api-note = Scripts that run the platform

search-intro = Operations, guides, products, schemas and error codes.
search-placeholder = time zone, 429, getCountry
search-type-a-word = Type a word of what you look for. All words must be found.
search-none = Nothing has all these words
search-none-text = Try fewer words, or a part of one.
search-clear = Clear
search-more = And { $more } more: add a word.

search-operations = Operations
search-apis = APIs
search-pages = Pages
search-schemas = Schemas

get-a-key = Get a key
product-operations = { $count ->
    [one] One operation
   *[other] { $count } operations
}
overview-schemas = { $count ->
    [one] One schema
   *[other] All { $count } schemas
}
status-apis = APIs
status-api = API
status-incidents = Incidents of the last 90 days
status-no-incidents = No incidents in 90 days
status-no-incidents-text = When an API fails calls, or we know of something that is wrong, it stands here, with how long that took.
status-began = Began
status-lasts = { $share } of calls fail. It is not over.
status-over = { $share } of calls failed at worst. It was over after { $span }.
status-all-apis = All APIs
status-told-lasts = It is not over.
status-told-over = It was over after { $span }.
status-minutes = { $count ->
    [one] a minute
   *[other] { $count } minutes
}
status-hours = { $count ->
    [one] an hour
   *[other] { $count } hours
}
status-counted = counted up to { $at }
body-in-path = Path parameters
body-in-query = Query parameters
body-in-cookie = Cookies
ending-ends = This API is deprecated and ends on { $at }
ending-deprecated = This API is deprecated
ending-since = Deprecated since { $day }.
ending-until-then = Until then calls are served as before; afterwards they are answered with 410.
ending-as-before = Calls are served as before, but nothing new should be built on it.
shape-answers-only = in answers only
shape-requests-only = in requests only
shape-deprecated = deprecated
shape-matches = matches
shape-default = default
shape-for-example = for example
shape-and-more = and { $count } more
shape-always = Always
shape-one-of = One of
shape-one-of-values = One of { $count } values
shape-alternatives = { $count } alternatives
shape-members-of = Members of { $name }
shape-any-of = At least one of these holds
shape-one-holds = Exactly one of these holds
shape-tells-which = tells which
outcome-money = Refused: spend cap reached or no credits left
home-pay-by-use = pay by use
