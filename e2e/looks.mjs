// How a page is looked at: in both themes, wide and narrow, by axe and by measure.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
// A theme changes colours and nothing else, so the second one is asked about colours alone.
const THEMES = [
  { colorScheme: "light", rules: { type: "tag", values: TAGS } },
  { colorScheme: "dark", rules: { type: "rule", values: ["color-contrast", "link-in-text-block"] } },
];
const WIDTHS = [1280, 390];
// 320 is what WCAG 1.4.10 asks for: 1280 pixels at 400 % zoom.
const NO_SIDEWAYS_SCROLL = [390, 320];

/** Looks at the page that is open; returns one sentence per thing that is wrong. */
export async function look(page) {
  const wrong = [];
  // Not as a script tag: the page's own policy refuses that, as it should.
  await page.evaluate(AXE);
  const views = new Map();
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    for (const { colorScheme, rules } of THEMES) {
      await page.emulateMedia({ colorScheme });
      for (const fault of await violations(page, rules)) {
        views.set(fault, [...(views.get(fault) ?? []), `${colorScheme} ${width}`]);
      }
    }
  }
  for (const [fault, where] of views) wrong.push(`${fault} (${where.join(", ")})`);
  for (const width of NO_SIDEWAYS_SCROLL) {
    await page.setViewportSize({ width, height: 900 });
    wrong.push(...await page.evaluate(sidewaysScroll));
  }
  await page.setViewportSize({ width: WIDTHS[0], height: 900 });
  return wrong;
}

function violations(page, rules) {
  return page.evaluate(async (runOnly) => {
    const { violations } = await globalThis.axe.run(document, { runOnly, resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) => {
      const [first] = nodes;
      const html = first.html.slice(0, 120).replaceAll(/\s+/g, " ");
      return `${id}: ${help}; ${nodes.length} times, first ${html} ${first.any[0]?.message ?? ""}`;
    });
  }, rules);
}

function sidewaysScroll() {
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  const wide = [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
    .map((element) => element.outerHTML.slice(0, 80));
  return [`${clientWidth}: scrolls sideways, ${scrollWidth} wide because of ${wide.slice(-1)}`];
}
