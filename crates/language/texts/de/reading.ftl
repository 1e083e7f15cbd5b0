home-title = Echte Daten, ein Schlüssel, eine Zeile curl
home-intro = Wähle ein Produkt, registriere dich mit einer E-Mail-Adresse und rufe es innerhalb einer Minute auf. Die kostenlosen Tarife brauchen weder Karte noch Freigabe.
home-read = Zur Referenz
home-two-fields = Zwei Felder. Dein Schlüssel steht auf der nächsten Seite.
home-run = Ausführen
home-run-note = Ein echter Aufruf, sofort und ohne Konto.
home-example-answer = Beispielantwort
home-none = Noch ist kein Produkt veröffentlicht
home-none-text = Das erste erscheint hier, sobald sein Anbieter es öffnet.

home-page = APIs, die du in einer Minute aufrufst
home-free-plan = kostenloser Tarif
home-from = ab { $price }
home-no-open-plan = kein offener Tarif

product-plans = Tarife
product-no-plan = Kein Tarif ist offen
product-no-plan-text = Über dieses Produkt kannst du lesen, abonnieren lässt es sich noch nicht.
product-no-limits = Keine Limits
product-key-on = Schlüssel mit { $name } holen
product-subscribe-one = { $name } abonnieren lassen
product-application = Anwendung
product-subscribe = Abonnieren
product-subscribed = { $who } hat es abonniert
product-other-plan = Deine Anwendungen nutzen einen anderen Tarif dieses Produkts.
product-not-yet = Noch nicht verfügbar. Der Preis steht hier, damit du planen kannst.
product-calls-a-month = Aufrufe im Monat
product-currency = Währung
product-work-out = Kosten ausrechnen
product-show-prices = Diese Preise zeigen
product-base-url = Basis-URL
product-every-call = Jeder Aufruf trägt
product-reference = Referenz
product-document = OpenAPI-Dokument
product-version = Version { $version }
product-undescribed = Keine Operation ist beschrieben
product-undescribed-text = Der Anbieter hat noch kein OpenAPI-Dokument hinterlegt.
product-has-page = Jede hat ihre Seite in der Referenz, mit Beispielaufrufen in elf Sprachen.
product-open-reference = Referenz öffnen

product-free = Kostenlos
product-per-month = pro Monat
product-ends-at = Endet bei { $calls } Aufrufen im Monat
product-a-month = { $total } im Monat
product-asked = { $product } ist angefragt. Ein Betreiber entscheidet.
product-done = { $product } ist abonniert. Deine Schlüssel öffnen es sofort.
product-already = Diese Anwendung hat { $product } abonniert.
product-approval = Freigabe nötig
product-prepaid = Im Voraus bezahlt
product-prepaid-text = Aufrufe werden aus Guthaben bezahlt und enden, wenn es verbraucht ist: keine Rechnung kann überraschen
product-per-unit = pro { $unit }
product-from-per-unit = pro { $unit }, im besten Fall
product-at-least = im Monat mindestens
product-once = einmalig
product-soon = Noch nicht verfügbar

operation-deprecated = Veraltet
operation-try = Ausprobieren
operation-terms = Kosten und Limits
operation-counts = Ein Aufruf zählt als einer. Was das Gateway ablehnt, zählt nicht, und bei 5xx gibt es den Aufruf zurück. Was übrig ist, steht im Header `RateLimit` der Antwort.
operation-policy-counts = { $scope ->
    [platform] Für alle APIs hier zusammen
    [api] Für alle Operationen dieser API zusammen
   *[operation] Für diese Operation
}, { $per ->
    [subscription] je Abonnement
    [credential] je Schlüssel
   *[all] für alle, die aufrufen
}, welcher Tarif es auch ist
operation-refusals = Ablehnungen
operation-before = bevor die API den Aufruf sieht
operation-all-refusals = Alle Ablehnungen und was hilft
operation-example = Beispiel
operation-carries-key = Der Aufruf enthält deinen Sandbox-Schlüssel und funktioniert so, wie er ist.
operation-replace = Ersetze `YOUR_KEY` durch deinen eigenen. [Schlüssel holen]({ $href })
operation-replace-own = Ersetze `YOUR_KEY` durch einen deiner Schlüssel. [Deine Anwendungen](/applications)

body-who = Wer aufruft
api-who-text = Dein Schlüssel, im Header `X-API-Key` oder als `Authorization: Bearer`
api-refusals-text = Problem Details (RFC 9457), jede Ablehnung mit [eigener Seite](/problems)

schema-definition = Definition
schema-nothing-more = Mehr ist darüber nicht gesagt.
schema-used-by = Verwendet von

schema-schema = Schema
schema-schemas = Schemas
schema-webhook = Webhook

body-to-you = was die API an dich sendet

body-webhook-note = Die API sendet das an eine Adresse von dir. Antworte mit einem Status von 200 bis 299.
body-sent = Was gesendet wird
body-request = Anfrage-Body
body-required = Pflicht
body-your-answer = Deine Antwort
body-answers = Antworten
body-headers = Header
body-callbacks = Callbacks
body-in-turn = was die API dir daraufhin sendet
body-expects = Erwartet die Antwort { $answers }
body-send-key = Sende deinen Schlüssel im Header `X-API-Key` oder als `Authorization: Bearer`. Das Gateway nimmt ihn heraus, bevor der Aufruf weitergeht.

body-also-names = Das Dokument nennt auch { $ways }; mit einem Schlüssel dieses Portals ist das erledigt.

samples-call-in = Aufruf in
samples-made = aus dem Schema erzeugt

side-of = Referenz von { $api }
side-all-schemas = Alle Schemas

side-overview = Überblick
side-operations = Operationen
side-more = Weitere

changelog-intro = Was sich für Aufrufer geändert hat, das Neueste zuerst.
changelog-feed = Feed
changelog-none = Noch hat sich nichts geändert
changelog-none-text = Neues zu den APIs erscheint hier und im Feed.

guides-intro = Vom ersten Aufruf bis zum laufenden Betrieb.
guides-operators = Für die Betreiber dieses Portals
guides-none = Noch ist keine Anleitung geschrieben
guides-none-text = Die Referenz jedes Produkts sagt, was es kann.

guide-on-page = Auf dieser Seite
guide-others = Andere Anleitungen

status-none = Keine API ist veröffentlicht
status-none-text = Jede erscheint hier mit ihrem Zustand, sobald sie es ist.
status-state = Zustand
status-note = Gezählt von den Gateways an echten Aufrufen: Ein Aufruf gilt als fehlgeschlagen, wenn die API mit 5xx oder gar nicht antwortete. Ablehnungen durch Limits sind keine Fehler.

status-quiet = Ruhig
status-quiet-note = Keine Aufrufe in den letzten 15 Minuten
status-working = In Betrieb
status-some-fail = Einige Aufrufe schlagen fehl
status-down = Ausgefallen
status-failed = { $share } der Aufrufe schlugen in den letzten 15 Minuten fehl, { $mean } im Mittel
status-trouble = Störung
status-trouble-text = Mindestens eine API ist ausgefallen.
status-degraded = Eingeschränkt
status-degraded-text = Mindestens eine API beantwortet einige Aufrufe nicht.
status-working-text = Von keiner API ist ein Ausfall bekannt.

problems-example = Beispiel
problems-meaning = Bedeutung und Code

problems-intro = Jede Ablehnung ist ein Problem-Dokument (RFC 9457). Sein `type` verweist auf eine dieser Seiten.
problems-gateway = Vom Gateway
problems-gateway-note = Aufrufe deiner Anwendungen
problems-admin-api = Von der Verwaltungs-API
problems-admin-api-note = Skripte, die die Plattform betreiben

search-intro = Operationen, Anleitungen, Produkte, Schemas und Fehlercodes.
search-placeholder = Zeitzone, 429, getCountry
search-type-a-word = Gib ein Wort ein von dem, was du suchst. Alle Wörter müssen vorkommen.
search-none = Nichts enthält alle diese Wörter
search-none-text = Versuche es mit weniger Wörtern oder einem Teil davon.
search-clear = Zurücksetzen
search-more = Und { $more } weitere: Nimm ein Wort dazu.

search-operations = Operationen
search-apis = APIs
search-pages = Seiten
search-schemas = Schemas

get-a-key = Schlüssel holen
product-operations = { $count ->
    [one] Eine Operation
   *[other] { $count } Operationen
}
overview-schemas = { $count ->
    [one] Ein Schema
   *[other] Alle { $count } Schemas
}
status-apis = APIs
status-api = API
status-incidents = Störungen der letzten 90 Tage
status-no-incidents = Keine Störung in 90 Tagen
status-no-incidents-text = Wenn eine API bei Aufrufen versagt oder wir von einer Störung wissen, steht es hier, und wie lange es gedauert hat.
status-began = Begann
status-lasts = { $share } der Aufrufe schlagen fehl. Es ist noch nicht vorbei.
status-over = Höchstens { $share } der Aufrufe schlugen fehl. Vorbei war es nach { $span }.
status-all-apis = Alle APIs
status-told-lasts = Es ist noch nicht vorbei.
status-told-over = Vorbei war es nach { $span }.
status-minutes = { $count ->
    [one] einer Minute
   *[other] { $count } Minuten
}
status-hours = { $count ->
    [one] einer Stunde
   *[other] { $count } Stunden
}
status-counted = gezählt bis { $at }
body-in-path = Pfad-Parameter
body-in-query = Query-Parameter
body-in-cookie = Cookies
ending-ends = Diese API ist veraltet und endet am { $at }
ending-deprecated = Diese API ist veraltet
ending-since = Veraltet seit { $day }.
ending-until-then = Bis dahin werden Aufrufe wie bisher bedient; danach werden sie mit 410 beantwortet.
ending-as-before = Aufrufe werden wie bisher bedient, aber Neues sollte nicht mehr darauf bauen.
shape-answers-only = nur in Antworten
shape-requests-only = nur in Anfragen
shape-deprecated = veraltet
shape-matches = passt auf
shape-default = Vorgabe
shape-for-example = zum Beispiel
shape-and-more = und { $count } weitere
shape-always = Immer
shape-one-of = Eines von
shape-one-of-values = Einer von { $count } Werten
shape-alternatives = { $count } Alternativen
shape-members-of = Felder von { $name }
shape-any-of = Mindestens eines davon gilt
shape-one-holds = Genau eines davon gilt
shape-tells-which = sagt, welches
outcome-money = Abgelehnt: Ausgabengrenze erreicht oder kein Guthaben übrig
home-pay-by-use = nach Verbrauch
