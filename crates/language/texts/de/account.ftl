account-intro = Wer du hier bist und wo du angemeldet bist.
account-alone = Du betreibst diese Plattform nur mit einem Passwort
account-alone-text = Wer es in die Hände bekommt, sieht jeden Schlüssel und jeden Entwickler. Ein zweiter Faktor dauert eine Minute.
account-set-it-up = Einrichten
account-profile = Profil
account-member-since = Dabei seit
account-signing-in = Anmeldung
account-password = Passwort
account-password-text = Wer es ändert, meldet alle anderen ab.
account-second-factor = Zweiter Faktor
account-factor-on = An: Zum Anmelden braucht es einen Code von deinem Telefon.
account-factor-off = Aus: Dein Passwort allein meldet dich an.
account-manage = Verwalten
account-set-up = Einrichten
account-signed-in = Angemeldet
account-sign-out-others = Alle anderen abmelden
account-browser = Browser
account-address = Adresse
account-last-seen = Zuletzt gesehen
account-this-one = Dieser
account-unknown = unbekannt
account-data = Deine Daten
account-take = Mitnehmen
account-take-text = Alles, was über dich gespeichert ist, als JSON.
account-download = Herunterladen
account-delete = Konto löschen
account-delete-text = Deine Adresse wird vergessen, und was nur dir gehört, endet.
account-delete-more = Löschen…

account-a-browser = Ein Browser
account-confirmed = Bestätigt
account-unconfirmed = Nicht bestätigt
account-your-email = Deine E-Mail
account-your-password = Dein Passwort
account-current-password = Bisheriges Passwort
account-new-password = Neues Passwort

code-title = Zweiter Schritt
code-text = Dein Authenticator zeigt jede halbe Minute einen neuen Code. Ohne ihn meldet dich einer deiner Wiederherstellungscodes einmal an.
code-back = {""}[Zurück zu E-Mail und Passwort](/signin)

code-code = Code

delete-text = Anwendungen und Schlüssel von Organisationen, zu denen sonst niemand gehört, enden sofort. Deine Adresse wird vergessen; gezählte Aufrufe bleiben für die Rechnung. Es gibt keinen Weg zurück.
delete-keep = Behalten
delete-recent = Du meldest dich über einen Anbieter an, also gibt es kein Passwort, nach dem zu fragen wäre. Es genügt, dass du dich in den letzten zehn Minuten angemeldet hast.

forgotten-look = Sieh in deine Mail
forgotten-sent = Wenn { $email } ein Konto hat, ist ein Link dorthin unterwegs. Er gilt einmal, für 10 Minuten.
forgotten-again = Noch einmal anfordern
forgotten-back = Zurück zur Anmeldung
forgotten-title = Passwort vergessen
forgotten-text = An die Adresse deines Kontos geht ein Link, mit dem du ein neues setzt.
forgotten-send = Link senden

password-change = Passwort ändern
password-signs-out = Wer mit dem alten angemeldet ist, wird abgemeldet.

reset-title = Neues Passwort setzen
reset-set = Passwort setzen

recovery-title = Wiederherstellungscodes
recovery-text = Jeder meldet dich einmal an, wenn dein Telefon weg ist. Drucke sie aus oder verwahre sie bei deinen Passwörtern.
recovery-on = Der zweite Faktor ist an
recovery-only-time = Nur dieses eine Mal werden diese Codes gezeigt. Ältere gelten nicht mehr.
recovery-ten = Zehn Codes
recovery-stored = Ich habe sie gespeichert
recovery-once = Sie wurden einmal gezeigt
recovery-new-text = Wenn du sie nicht hast, lege neue an.
recovery-new = Neue Codes

factor-text = Mit ihm öffnet ein gestohlenes Passwort nichts: Zum Anmelden braucht es auch den Code, den dein Telefon zeigt.
factor-take = 1. In den Authenticator übernehmen
factor-take-text = Scanne das mit einer Authenticator-App oder tippe den Schlüssel ein.
factor-qr = QR-Code des Schlüssels unten
factor-show = 2. Zeigen, dass es funktioniert
factor-turn-on = Einschalten
factor-set-up = Eingerichtet
factor-left = Übrige Wiederherstellungscodes
factor-of-ten = { $codes_left } von 10
factor-new-codes = Neue Wiederherstellungscodes
factor-turn-off = Ausschalten

factor-code-now = Code, den er jetzt zeigt
factor-either = Für beides:

setup-title = Den ersten Betreiber anlegen
setup-text = Dieser Link gilt einmal. Das Konto, das du hier anlegst, betreibt die Plattform: Es sieht jede API, jeden Entwickler und jeden Aufruf.
setup-create = Betreiber anlegen

signin-text = Zu deinen Anwendungen, Schlüsseln und deiner Nutzung.
signin-forgotten = Passwort vergessen?
signin-no-account = Noch kein Konto? [Schlüssel holen](/signup)

signup-product = Du bekommst eine Anwendung, die { $name } im Tarif { $plan } abonniert hat, und einen Schlüssel, der sofort funktioniert.
signup-plain = Du bekommst ein Konto und eine eigene Anwendung. Schlüssel funktionieren sofort.
signup-create = Konto und Schlüssel anlegen
signup-already = Schon ein Konto? [Anmelden]({ $signin_href })

verify-title = Bestätige deine Adresse
verify-text = Ein Klick zeigt, dass die Mail dich erreicht hat. Live-Schlüssel und Einladungen warten darauf.
verify-confirm = Adresse bestätigen

verify-done = Deine Adresse ist bestätigt.
verify-sent = Ein neuer Link ist unterwegs an { $email }. Ältere gelten nicht mehr.
reset-done = Dein neues Passwort ist gesetzt, und alle, die angemeldet waren, sind abgemeldet.
sessions-one = Diese Sitzung ist abgemeldet.
sessions-ended = { $count ->
    [one] Eine Sitzung ist abgemeldet. Diese hier bleibt.
   *[other] { $count } Sitzungen sind abgemeldet. Diese hier bleibt.
}
password-rule = { $least } bis { $most } Zeichen, gern mit Leerzeichen. Drei oder vier zufällige Wörter sind gut.
password-done = Dein Passwort ist geändert. Wer sonst angemeldet war, ist abgemeldet.
factor-off-done = Der zweite Faktor ist aus. Dein Passwort allein meldet dich an.
delete-done = Dein Konto ist gelöscht. Seine Schlüssel enden binnen Sekunden.
setup-done = Du betreibst jetzt diese Plattform. Der Link ist verbraucht.

account-no-password = Du hast keines. Setzen lässt es sich über einen Link, den wir dir senden.
account-set = Setzen
account-passkeys = Passkeys
account-no-passkey = Keine: Mit einem meldet dich dein Telefon oder ein Sicherheitsschlüssel an.
account-one-passkey = Einer meldet dich ohne Passwort an.
account-some-passkeys = { $passkeys } melden dich ohne Passwort an.
account-add = Hinzufügen

passkey-text = Ein Passkey meldet dich mit dem an, was dein Telefon, deinen Laptop oder Sicherheitsschlüssel entsperrt. Er lässt sich nicht erraten, und keine andere Website kann ihn verlangen.
passkey-yours = Deine
passkey-none = Du hast noch keinen.
key-rename = Umbenennen
passkey-add-one = Einen hinzufügen
passkey-add = Passkey hinzufügen
passkey-back = Zurück zu deinem Konto
passkey-javascript = Einen Passkey hinzuzufügen braucht JavaScript: Der Browser selbst legt ihn an.
passkey-not-here = Browser legen hier keine Passkeys an

passkey-know-by = Zum Wiedererkennen, etwa das Gerät, auf dem er liegt.
passkey-not-here-text = Sie gehören zu einem Namen wie portal.example, erreicht über https. Der Betreiber setzt ihn als Adresse des Portals.
passkey-instead = Stattdessen einen Passkey benutzen
passkey-sign-in = Mit einem Passkey anmelden
account-identity-as = Als { $email }.
account-identity-used = Benutzt { $at }.
passkey-added = Hinzugefügt { $at }.
passkey-never = Nie benutzt.
passkey-new-name = Neuer Name von { $name }
setup-run = Diese Plattform betreiben
setup-invited = Du bist eingeladen als { $role }. Der Link gilt einmal; wer schon ein Konto hat, gibt dessen Passwort ein.
setup-accept = Annehmen
email-change = E-Mail-Adresse ändern
email-change-text = Beide Adressen bekommen eine Mail. Deine bleibt *{ $email }*, bis die neue bestätigt ist.
email-new = Neue E-Mail-Adresse
email-code = Code deines Authenticators
email-send = Link senden
email-sent = Ein Link ist unterwegs an { $email }. Deine Adresse ändert sich, wenn er geöffnet wird.
email-confirm = Diese Adresse verwenden
email-confirm-title = Deine neue Adresse
email-confirm-text = Dein Konto soll die Adresse *{ $email }* bekommen. Von da an meldest du dich mit ihr an.
email-done = Deine Adresse ist jetzt { $email }.

device-title = Eine Kommandozeile einlassen
device-text = Ein Terminal, in dem tollgate login lief, zeigt einen Code. Wer ihn hier eingibt, lässt diesem Terminal einen Schlüssel geben.
device-code = Code
device-hint = Acht Buchstaben, wie WDJB-MJHT. Er endet zehn Minuten, nachdem er gezeigt wurde.
device-look = Nachsehen
device-asks = Eine Kommandozeile bittet um einen Schlüssel
device-from = Sie fragte von { $address }, { $when }. Wenn du das nicht warst oder dir jemand diesen Code geschickt hat, weise sie ab.
device-gets = Sie bekommt einen neuen Sandbox-Schlüssel einer Anwendung: Aufrufe mit ihm werden nie berechnet, und du kannst ihn jederzeit auf der Seite der Anwendung widerrufen. Sonst erfährt sie nichts, und sie kann sich nicht als du anmelden.
device-application = Anwendung
device-no-application = Du hast keine Anwendung, die einen Schlüssel haben könnte. [Lege zuerst eine an](/applications).
device-allow = Sandbox-Schlüssel geben
device-deny = Abweisen
device-allowed = Eingelassen. Das Terminal zeigt seinen Schlüssel in wenigen Sekunden.
device-denied = Abgewiesen. Sie hat nichts bekommen.
