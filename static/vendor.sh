#!/bin/sh
# Fetches the front-end files we ship from their npm packages, by exact version and checked sha512, and builds the
# icon sprite. The results are committed: building Tollgate needs no Node. CI may run this and fail on a diff.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

node - "$work" <<'JS'
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const work = process.argv[2];
fs.mkdirSync("vendor", { recursive: true });
for (const wanted of JSON.parse(fs.readFileSync("vendor.lock.json", "utf8"))) {
  const name = `${wanted.package}@${wanted.version}`;
  const packed = JSON.parse(execFileSync("npm", ["pack", name, "--json", "--pack-destination", work], { encoding: "utf8" }));
  const listed = Array.isArray(packed) ? packed[0] : Object.values(packed)[0];
  const tarball = path.join(work, path.basename(listed.filename));
  const found = "sha512-" + createHash("sha512").update(fs.readFileSync(tarball)).digest("base64");
  if (found !== wanted.integrity) throw new Error(`${name}: sha512 is ${found}, the lock says ${wanted.integrity}`);
  const out = fs.mkdtempSync(path.join(work, "x"));
  execFileSync("tar", ["-xzf", tarball, "-C", out]);
  for (const [from, to] of Object.entries(wanted.files)) {
    fs.copyFileSync(path.join(out, "package", from), path.join("vendor", to));
  }
  if (wanted.icons) {
    const symbols = wanted.icons.map((icon) => {
      const svg = fs.readFileSync(path.join(out, "package", "icons", `${icon}.svg`), "utf8");
      const inner = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
      const shapes = inner.replace(/\s*\n\s*/g, "").trim();
      return `<symbol id="${icon}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" ` +
        `stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`;
    });
    const head = `<!-- Lucide ${wanted.version}, ISC licence: see vendor/lucide.LICENSE.txt -->`;
    fs.writeFileSync("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">\n${head}\n${symbols.join("\n")}\n</svg>\n`);
  }
  console.log(`${name}: ${Object.keys(wanted.files).length} files`);
}
JS
