// What scripts add to operators' pages that work without them: the palette, keys for the queue, a sentence that is
// kept true, filters that send themselves, and a question before typed things are lost.

const typing = (event) => event.target.closest?.("input, textarea, select, [contenteditable]");

// Ctrl K or ⌘K opens what the page /admin/find shows, over any page.
const opener = document.querySelector("[data-palette]");
let palette;

function openPalette() {
  palette ??= makePalette(opener.href);
  if (!palette.open) palette.showModal();
  palette.querySelector("input").select();
}

function makePalette(url) {
  const dialog = document.createElement("dialog");
  dialog.className = "palette";
  dialog.setAttribute("aria-label", "Find anything");
  dialog.innerHTML = `<form method="post" role="search"><input class="input" name="q" type="search" autocomplete="off"
    placeholder="Name, e-mail, path or key" aria-label="Find anything" role="combobox" aria-expanded="true"
    aria-controls="palette-hits" aria-autocomplete="list"></form>
    <div class="hits" id="palette-hits" data-hits></div><p class="hint">Arrow keys move, Enter opens, Esc closes.</p>`;
  const form = dialog.querySelector("form");
  const input = dialog.querySelector("input");
  const hits = dialog.querySelector("[data-hits]");
  form.action = url;
  let at = 0;
  let asked = 0;
  const mark = () => {
    const links = [...hits.querySelectorAll("a")];
    at = Math.max(0, Math.min(at, links.length - 1));
    links.forEach((link, n) => {
      link.id = `palette-hit-${n}`;
      link.classList.toggle("at", n === at);
    });
    links[at]?.scrollIntoView({ block: "nearest" });
    if (links[at]) input.setAttribute("aria-activedescendant", links[at].id);
    else input.removeAttribute("aria-activedescendant");
    return links[at];
  };
  const look = async () => {
    const turn = ++asked;
    try {
      const answer = await fetch(url, {
        method: "POST", body: new URLSearchParams({ q: input.value }), credentials: "same-origin", cache: "no-store",
      });
      if (turn !== asked) return;
      if (answer.redirected) return location.assign(answer.url);
      const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("hits");
      if (!found) return;
      hits.replaceChildren(...[...found.children].map((child) => document.adoptNode(child)));
      at = 0;
      mark();
    } catch {
      // What is shown stays; the next letter asks again.
    }
  };
  let waiting;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 80);
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    at += step;
    mark();
  });
  form.addEventListener("submit", (event) => {
    const link = mark();
    if (!link) return;
    event.preventDefault();
    location.assign(link.href);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  look();
  return dialog;
}

if (opener) {
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    openPalette();
  });
  if (navigator.platform.startsWith("Mac")) opener.querySelector("kbd").textContent = "⌘K";
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && opener) {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event) || document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-slash]");
    if (search) {
      event.preventDefault();
      search.select();
    }
    return;
  }
  queue(event);
});

// In a list with buttons that have keys, j and k move through rows and the keys press their buttons.
function queue(event) {
  const rows = [...document.querySelectorAll("tr:has([data-key])")];
  if (rows.length === 0) return;
  const now = rows.findIndex((row) => row.classList.contains("at"));
  const step = { j: 1, k: -1 }[event.key];
  if (step) {
    const next = rows[Math.max(0, Math.min(rows.length - 1, now < 0 ? 0 : now + step))];
    rows.forEach((row) => row.classList.toggle("at", row === next));
    next.querySelector("a, button").focus();
    next.scrollIntoView({ block: "nearest" });
    return;
  }
  rows[now]?.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
}

// A filter that is chosen is sent at once.
for (const select of document.querySelectorAll("select[data-send]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

// The terms of a plan as a sentence, as `pages/admin/terms.rs` writes it.
const number = new Intl.NumberFormat("en-US");

function terms(form) {
  const value = (name) => form.elements.namedItem(name)?.value.trim() ?? "";
  const limits = [];
  for (let n = 0; form.elements.namedItem(`limits/${n}/amount`); n += 1) {
    const amount = value(`limits/${n}/amount`);
    if (!/^\d+$/.test(amount)) continue;
    const period = value(`limits/${n}/period`);
    const noun = limits.length > 0 ? "" : amount === "1" ? " call" : " calls";
    const each = value(`limits/${n}/kind`) === "rate" && value(`limits/${n}/per`) === "credential" ? " for each key" : "";
    limits.push(`${number.format(amount)}${noun} ${period === "hour" ? "an" : "a"} ${period}${each}`);
  }
  const told = limits.length > 0 ? limits.join(", ") : "As many calls as one likes";
  const amount = (name) => {
    const [whole, part = ""] = value(name).split(".");
    const typed = part ? `${whole}.${part.padEnd(2, "0")}` : `${whole}.00`;
    return /^0*$/.test(whole + part) ? "" : `${typed} ${value("currency").toUpperCase()}`;
  };
  let priced = amount("minimum") !== "";
  for (let n = 0; form.elements.namedItem(`meters/${n}/price`); n += 1) priced ||= value(`meters/${n}/price`) !== "";
  const costs = [];
  if (amount("price")) costs.push(`${amount("price")} per month`);
  if (priced) costs.push("what use costs");
  if (amount("setup")) costs.push(`${amount("setup")} once`);
  const last = costs.pop();
  if (!last) return `${told}, free of charge.`;
  return costs.length > 0 ? `${told}, for ${costs.join(", ")} and ${last}.` : `${told}, for ${last}.`;
}

for (const sentence of document.querySelectorAll("[data-sentence]")) {
  sentence.closest("form").addEventListener("input", (event) => {
    sentence.textContent = terms(event.currentTarget);
  });
}

// Leaving a page asks first when something was typed and not sent.
for (const form of document.querySelectorAll("form[data-guard]")) {
  const ask = (event) => event.preventDefault();
  form.addEventListener("input", () => addEventListener("beforeunload", ask), { once: true });
  form.addEventListener("submit", () => removeEventListener("beforeunload", ask));
}
