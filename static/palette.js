// The palette: what a search page shows, over any page. Loaded when it is opened for the first time. The link that opens it
// says where the search is, how it is asked (`data-method`), and the words in the reader's language.

let dialog;

export function open(opener) {
  dialog ??= make(opener);
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("input").select();
}

function make(opener) {
  const { label, placeholder, hint, method } = opener.dataset;
  const made = document.createElement("dialog");
  made.className = "palette";
  made.setAttribute("aria-label", label);
  made.innerHTML = `<form role="search"><input class="input" name="q" type="search" autocomplete="off" role="combobox"
    aria-expanded="true" aria-controls="palette-hits" aria-autocomplete="list"></form>
    <div class="hits" id="palette-hits" data-hits></div><p class="hint"></p>`;
  const form = made.querySelector("form");
  const input = made.querySelector("input");
  const hits = made.querySelector("[data-hits]");
  input.placeholder = placeholder;
  input.setAttribute("aria-label", label);
  made.querySelector(".hint").textContent = hint;
  form.action = opener.href;
  form.method = method;
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
      const answer = await answered(opener.href, method, input.value);
      if (turn !== asked) return;
      // Whoever is signed out meanwhile goes to the sign-in.
      if (answer.redirected) return location.assign(answer.url);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.querySelector("#hits");
      if (!found) return;
      found.removeAttribute("id");
      const sections = [...found.querySelectorAll("section")];
      hits.replaceChildren(...(sections.length ? sections.map(drawn) : [document.adoptNode(found)]));
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
    // A field for searches would only be emptied by it.
    if (event.key === "Escape") {
      event.preventDefault();
      made.close();
      return;
    }
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
  made.addEventListener("click", (event) => {
    if (event.target === made) made.close();
  });
  document.body.append(made);
  look();
  return made;
}

function answered(address, method, question) {
  const body = new URLSearchParams({ q: question });
  const kept = { credentials: "same-origin", cache: "no-store" };
  return method === "post"
    ? fetch(address, { method: "POST", body, ...kept })
    : fetch(`${address}?${body}`, kept);
}

// A group of hits: a heading, and a link per hit with its second line inside, so that the whole line is the link.
function drawn(section) {
  const part = document.createElement("section");
  const heading = document.createElement("h2");
  heading.textContent = section.querySelector("h2").textContent;
  const list = document.createElement("ul");
  for (const line of section.querySelectorAll("li:has(a)")) {
    const link = document.adoptNode(line.querySelector("a"));
    const second = line.querySelector("p");
    if (second) link.append(" ", Object.assign(document.createElement("span"), { textContent: second.textContent }));
    const item = document.createElement("li");
    item.append(link);
    list.append(item);
  }
  part.append(heading, list);
  return part;
}
