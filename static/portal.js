// What scripts add to pages that work without them: copying, keeping a choice, and watching for the first call.

const announce = document.getElementById("announce");

function reveal(root) {
  for (const button of root.querySelectorAll("button[data-copy], button[data-copy-from]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy], button[data-copy-from]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const label = button.querySelector("[data-label]");
  const before = label.textContent;
  try {
    // What is hidden, like samples in other languages, is not in innerText.
    const text = source?.innerText ?? await fetchText(button.dataset.copyFrom);
    await navigator.clipboard.writeText(text.trim());
    label.textContent = announce.dataset.copied;
  } catch {
    // Without the permission the text is selected, so that one keystroke copies it.
    if (source) getSelection().selectAllChildren(source);
    label.textContent = source ? announce.dataset.press : announce.dataset.open;
  }
  if (announce) announce.textContent = label.textContent;
  setTimeout(() => { label.textContent = before; }, 2000);
});

async function fetchText(url) {
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.text();
}

// The language of sample calls is kept for the next page.
document.addEventListener("change", (event) => {
  if (!event.target.matches("select[data-language]")) return;
  document.cookie = `language=${event.target.value}; path=/; max-age=31536000; samesite=lax`;
});

// A part marked data-watch="<url>" is fetched again every 2 s and replaced, until it comes back without the mark
// or two minutes are over. Hidden tabs wait.
const ENDS_AFTER_MS = 120_000;

async function watch(id, since) {
  const part = document.getElementById(id);
  const url = part?.dataset.watch;
  if (!url || Date.now() - since > ENDS_AFTER_MS) return;
  if (!document.hidden && !part.contains(document.activeElement)) {
    try {
      const answer = await fetch(url, { credentials: "same-origin", cache: "no-store" });
      if (answer.ok && !answer.redirected) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById(id);
        if (fresh) {
          document.getElementById(id).replaceWith(document.adoptNode(fresh));
          reveal(fresh);
          if (!fresh.dataset.watch && announce) announce.textContent = fresh.dataset.done ?? "";
        }
      }
    } catch {
      // The next turn tries again; the page keeps what it shows.
    }
  }
  setTimeout(() => watch(id, since), 2000);
}

// A call is tried in place: the form goes where it would go without a script, and only the answer is taken over.
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-try]");
  const place = document.getElementById("answer");
  if (!form || !place) return;
  event.preventDefault();
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("answer");
    // Something else was answered, like a page to sign in: the browser shows it.
    if (!fresh) { form.submit(); return; }
    place.replaceWith(document.adoptNode(fresh));
    if (announce) announce.textContent = fresh.dataset.done ?? "";
  } catch {
    place.removeAttribute("aria-busy");
    if (announce) announce.textContent = announce.dataset.silent;
  } finally {
    button.disabled = false;
  }
});

// Ctrl K or ⌘K opens the search over any page; without the palette its link leads to the search.
const opener = document.querySelector("a[data-palette]");

async function openPalette(event) {
  event.preventDefault();
  const palette = await import(opener.dataset.palette);
  palette.open(opener);
}

if (opener) {
  opener.addEventListener("click", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) openPalette(event);
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") openPalette(event);
  });
  if (navigator.platform.startsWith("Mac")) opener.querySelector("kbd").textContent = "⌘K";
}

const question = document.querySelector("form[role=search][action='/search'] input[type=search]");
let waiting;
let turn = 0;
question?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const mine = ++turn;
    const url = `/search?${new URLSearchParams({ q: question.value })}`;
    try {
      const page = new DOMParser().parseFromString(await fetchText(url), "text/html");
      const fresh = page.getElementById("hits");
      const shown = document.getElementById("hits");
      if (mine !== turn || !fresh || !shown) return;
      shown.replaceWith(document.adoptNode(fresh));
      history.replaceState(null, "", url);
    } catch {
      // What is shown stays; the next letter asks again.
    }
  }, 120);
});

reveal(document);
for (const part of document.querySelectorAll("[data-watch][id]")) setTimeout(() => watch(part.id, Date.now()), 2000);
// A long list of operations begins where the reader is.
const current = document.querySelector(".operations [aria-current]");
const list = current?.closest(".side > div");
if (list) list.scrollTop = current.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 2;
