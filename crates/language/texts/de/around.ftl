around-skip = Zum Inhalt springen
around-main = Hauptnavigation
around-palette-hint = Pfeiltasten bewegen, Eingabe öffnet, Esc schließt.
around-search = Suchen
around-account-menu = Kontomenü von { $email }
around-sign-in = Anmelden
around-menu = Menü
around-signed-in-as = Angemeldet als *{ $email }*
around-sign-out = Abmelden
around-theme = Darstellung
around-pages-now = Seiten, jetzt { $here }
around-pages = Seiten
around-confirm = Bestätige deine Adresse mit dem Link, der an *{ $email }* ging. Die Sandbox funktioniert auch ohne.
around-send-again = Noch einmal senden
around-products = Produkte
around-guides = Anleitungen
around-changelog = Änderungen
around-status = Status
around-errors = Fehlercodes

around-language = Sprache
around-portal = Portal
around-applications = Anwendungen
around-billing = Abrechnung
around-usage = Nutzung
around-limits = Limits
around-requests = Aufrufe
around-webhooks = Webhooks
around-team = Team
around-admin = Verwaltung
around-account = Konto
around-get-started = Erste Schritte
around-build = Entwickeln
around-explore = Entdecken
around-you = Du
around-theme-system = Wie das System
around-theme-light = Hell
around-theme-dark = Dunkel

ui-copy = Kopieren
ui-terminal = Terminal
ui-command = Befehl
ui-answer = Antwort
ui-answered = Beantwortet
ui-failed = Abgelehnt oder fehlgeschlagen
ui-highest = Höchstwert { $top }
ui-as-table = { $title } als Tabelle
ui-from = Ab
ui-calls = Aufrufe

ui-copied = Kopiert
ui-press-copy = Strg+C drücken
ui-open-markdown = Markdown öffnen
ui-no-answer = Das Portal hat nicht geantwortet. Versuche es noch einmal.

parts-breadcrumb = Pfad
parts-views = Ansichten von { $title }
parts-go-to = Zu { $name }
parts-copy-page = Seite kopieren
parts-members = Felder

error-again = Noch einmal versuchen
error-back = Zurück zu den Produkten
error-request-id = Aufruf-ID

# How things are written everywhere.
show-just-now = gerade eben
show-in-a-moment = gleich
show-minutes-ago = { $count ->
    [one] vor { $count } Minute
   *[other] vor { $count } Minuten
}
show-hours-ago = { $count ->
    [one] vor { $count } Stunde
   *[other] vor { $count } Stunden
}
show-days-ago = { $count ->
    [one] vor { $count } Tag
   *[other] vor { $count } Tagen
}
show-in-minutes = { $count ->
    [one] in { $count } Minute
   *[other] in { $count } Minuten
}
show-in-hours = { $count ->
    [one] in { $count } Stunde
   *[other] in { $count } Stunden
}
show-in-days = { $count ->
    [one] in { $count } Tag
   *[other] in { $count } Tagen
}
show-on-day = am { $day }
show-under-a-tenth = unter { $least } %
show-none = keine
show-operations = { $count ->
    [one] { $count } Operation
   *[other] { $count } Operationen
}
show-requests-per = { $count ->
    [one] { $count } Anfrage
   *[other] { $count } Anfragen
} pro { $period ->
    [second] Sekunde
    [minute] Minute
    [hour] Stunde
    [day] Tag
   *[month] Monat
}
show-calls-per = { $count ->
    [one] { $count } Aufruf
   *[other] { $count } Aufrufe
} pro { $period ->
    [second] Sekunde
    [minute] Minute
    [hour] Stunde
    [day] Tag
   *[month] Monat
}
state-active = Aktiv
state-suspended = Gesperrt
state-revoked = Widerrufen
state-requested = Wartet auf Freigabe
state-ended = Beendet
outcome-served = Vom Dienst beantwortet
outcome-rate-limited = Abgelehnt: zu schnell
outcome-quota-exceeded = Abgelehnt: Kontingent verbraucht
outcome-upstream-failed = Dienst hat nicht geantwortet
outcome-canceled = Aufrufer hat aufgelegt
outcome-abandoned = Aufgegeben, bevor der Dienst gefragt war
outcome-unknown = Unbekannt

# Forms.
form-one-wrong = Eines ist zu ändern; gespeichert wurde nichts.
form-some-wrong = Einiges ist zu ändern; gespeichert wurde nichts.
form-wrong-password = E-Mail oder Passwort stimmt nicht. Prüfe beides und versuche es noch einmal.

# What goes wrong, by the code of the problem.
fault-not-found = Hier ist nichts
fault-not-found-text = Die Adresse ist vielleicht vertippt, oder die Sache wurde entfernt, oder sie gehört jemand anderem.
fault-forbidden = Deine Rolle erlaubt das nicht
fault-forbidden-text = Betreiber der Plattform können dir eine andere Rolle geben.
fault-too-many-tries = Zu viele Versuche
fault-too-many-tries-text = Warte eine Weile und versuche es dann noch einmal. Andere sind nicht betroffen.
fault-dead-link = Dieser Link gilt nicht mehr
fault-dead-link-text = Er wurde benutzt, ist zu alt, oder ein neuerer ist unterwegs. Fordere einen neuen an, wo du ihn herhast.
fault-cross-site = Dieses Formular kam von einer anderen Seite
fault-cross-site-text = Nichts wurde getan. Öffne die Seite hier und sende das Formular noch einmal.
fault-payment-provider-unavailable = Der Zahlungsanbieter ist nicht erreichbar
fault-payment-provider-unavailable-text = Nichts wurde bezahlt oder geändert, deine Aufrufe laufen wie bisher. Versuche es in einer Minute noch einmal.
fault-internal = Bei uns ist etwas kaputtgegangen
fault-internal-text = Es ist vermerkt. Versuche es noch einmal; bleibt es so, nenne dem Betreiber die Aufruf-ID.
ui-continue-with = Weiter mit { $name }
ui-or-email = oder mit deiner E-Mail
around-seen-as = Du siehst das Portal, wie *{ $name }* es sieht. Nichts lässt sich ändern, und dass du nachsiehst, ist vermerkt.
around-stop = Aufhören
list-of = von { $title }
list-find-by = Suchen nach { $what }
list-find = Suchen
list-none-filtered = Nichts passt zu diesen Filtern
list-none-like = Nichts passt zu „{ $value }“
list-none-text = Gesucht werden Wörter, die so beginnen wie deine.
list-show-all = Alles zeigen
list-nothing-further = Nichts weiter
list-ended = Die Liste endet vor dieser Seite.
list-pages-of = Seiten von { $title }
list-previous = Zurück
list-next = Weiter
fields-nothing-to-choose = Es gibt noch nichts zu wählen.
fields-changed-meanwhile = Jemand anderes hat dies geändert, während du geschrieben hast
fields-changed-text = Von dir ist noch nichts gespeichert, und von der anderen Fassung ist nichts verloren. Unten steht deine; erneutes Speichern ersetzt die andere.
fields-both = Beide Fassungen
fields-field = Feld
fields-yours = Deine
fields-theirs = Von jemand anderem gespeichert
