// What scripts add to operators' pages that work without them: keys for the queue, a sentence that is
// kept true, filters that send themselves, and a question before typed things are lost.

const typing = (event) => event.target.closest?.("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
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
