// Stripe's double beside a Tollgate, and the time machine that a month's end needs.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

/** What makes a Tollgate collect by the double. */
export class Stripe {
  #child;

  static async start() {
    const binary = process.env.STRIPE_DOUBLE_BIN;
    assert.ok(binary, "STRIPE_DOUBLE_BIN names no binary; start the tests with e2e/run");
    const child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
    const [url] = await once(createInterface({ input: child.stdout }), "line");
    return new Stripe(child, url);
  }

  constructor(child, url) {
    this.#child = child;
    this.url = url;
    this.settings = {
      TOLLGATE_STRIPE_KEY: "sk_test_double",
      TOLLGATE_STRIPE_WEBHOOK_SECRET: "whsec_double",
      TOLLGATE_STRIPE_URL: url,
    };
  }

  /** Its events go there from now on. */
  deliverTo(portal) {
    this.#child.stdin.write(`${portal}/payments/events\n`);
  }

  async close() {
    const ended = once(this.#child, "exit");
    this.#child.stdin.end();
    await ended;
  }
}

/** Runs SQL in the private PostgreSQL below this directory. */
export function sql(room, text) {
  const pid = join(room, readdirSync(room, { recursive: true }).find((path) => path.endsWith("postmaster.pid")));
  const [, , , port, socket] = readFileSync(pid, "utf8").split("\n");
  const password = readFileSync(join(dirname(dirname(pid)), "password"), "utf8").trim();
  const { uid, gid } = statSync(dirname(pid));
  const arguments_ = ["-h", socket, "-p", port, "-U", "postgres", "-d", "tollgate", "-qtA", "-v", "ON_ERROR_STOP=1", "-c", text];
  const env = { ...process.env, PGPASSWORD: password };
  return execFileSync("psql", arguments_, { uid, gid, env, cwd: "/", encoding: "utf8" }).trim();
}

/** What waits for its time is done now. */
export function hurry(room) {
  sql(room, "update jobs set run_at = now() where done_at is null and dead_at is null");
}
