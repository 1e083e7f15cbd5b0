// Pages that were looked at, and what was wrong with them.

import assert from "node:assert/strict";
import { look } from "./looks.mjs";

// Pages that look the same to everybody but for the header; once is enough.
const SAME_FOR_ALL = /^\/(problems\/|products\/.+\/)/;
const lookedAt = new Set();

/** What was looked at, and everything that was wrong with it. */
export class Album {
  #person;
  // What is wrong, and on which pages.
  #wrong = new Map();
  #pages = 0;

  constructor(person) {
    this.#person = person;
  }

  /** Looks at the page that is open. */
  async keep(name) {
    this.#pages += 1;
    const faults = [...await look(this.#person.page), ...this.#person.takeFaults()];
    for (const fault of faults) this.#note(name, fault);
  }

  /** Looks at these pages and at every page that they lead to. */
  async walk(starts) {
    const { page } = this.#person;
    // A path is looked at once, with the query of the first link that leads to it.
    const met = new Set(starts);
    const paths = new Set(starts);
    for (const path of met) {
      if (SAME_FOR_ALL.test(path) && lookedAt.has(path)) continue;
      lookedAt.add(path);
      const answer = await page.goto(path);
      if (answer.status() !== 200) this.#note(path, `a link leads here, it answers ${answer.status()}`);
      await this.keep(path);
      const links = await page.locator("a[href]").evaluateAll((all) =>
        all.map((link) => ({
          href: link.href,
          isFile: link.hasAttribute("download") || /\.(atom|csv|env|json|md|txt)$/.test(link.pathname),
        })));
      for (const { href, isFile } of links) {
        const url = new URL(href);
        if (url.origin !== new URL(page.url()).origin || paths.has(url.pathname)) continue;
        if (isFile) await this.#assertAnswers(url.href);
        else {
          paths.add(url.pathname);
          met.add(url.pathname + url.search);
        }
      }
    }
  }

  async #assertAnswers(href) {
    const answer = await this.#person.page.request.get(href);
    if (!answer.ok()) this.#note(href, `a link leads here, it answers ${answer.status()}`);
  }

  #note(page, fault) {
    const pages = this.#wrong.get(fault) ?? new Set();
    this.#wrong.set(fault, pages.add(page));
  }

  async close(t) {
    t.diagnostic(`${this.#pages} pages looked at`);
    await this.#person.leave();
    const lines = [...this.#wrong].map(([fault, pages]) => `${fault}\n    on ${[...pages].join(", ")}`);
    assert.ok(lines.length === 0, `${lines.length} things are wrong:\n${lines.join("\n")}`);
  }
}
