// A running Tollgate of our own: free ports, a temporary data directory, stopped by its process id.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, openSync, closeSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 30_000;
const OTHERS = ["operator", "admin", "demo"];

export class Tollgate {
  #child;
  /** The directory of everything it keeps. */
  room;
  #flags;
  #settings;

  /** Starts with an empty data directory and returns when every listener is ready. */
  static async start({ gateway = "127.0.0.1:0", portal = "127.0.0.1:0", settings = {} } = {}) {
    const room = mkdtempSync(join(tmpdir(), "tollgate-e2e-"));
    // The account that runs PostgreSQL for root passes through here.
    chmodSync(room, 0o755);
    const tollgate = new Tollgate(room, ["--gateway-listen", gateway, "--portal-listen", portal], settings);
    try {
      await tollgate.#launch();
    } catch (error) {
      await tollgate.close().catch(() => {});
      throw error;
    }
    return tollgate;
  }

  constructor(room, flags, settings) {
    this.room = room;
    this.#settings = settings;
    this.#flags = [...flags, ...OTHERS.flatMap((name) => [`--${name}-listen`, "127.0.0.1:0"])];
    this.stopOnExit = () => this.#child?.kill("SIGTERM");
    process.on("exit", this.stopOnExit);
  }

  async #launch() {
    const binary = process.env.TOLLGATE_BIN;
    assert.ok(binary, "TOLLGATE_BIN names no binary; start the tests with e2e/run");
    const log = openSync(this.#logFile, "a");
    const began = performance.now();
    this.#child = spawn(binary, ["up", "--json", "--data-dir", join(this.room, "data"), ...this.#flags], {
      stdio: ["ignore", "pipe", log],
      env: { ...environment(), ...this.#settings },
    });
    closeSync(log);
    this.ended = once(this.#child, "exit").then(([code, signal]) => ({ code, signal }));
    const line = await withinMs(READY_WITHIN_MS, "the line of `tollgate up --json`", Promise.race([
      once(createInterface({ input: this.#child.stdout }), "line").then(([text]) => text),
      this.ended.then((end) => { throw new Error(`tollgate ended early: ${JSON.stringify(end)}`); }),
    ])).catch((error) => {
      this.#child.kill("SIGTERM");
      throw new Error(`${error.message}\n${this.log()}`, { cause: error });
    });
    this.readyMs = performance.now() - began;
    /** The welcome of src/welcome.rs: gateway_url, admin_url, portal_url, admin_token, demo_key, … */
    this.welcome = JSON.parse(line);
  }

  get #logFile() {
    return join(this.room, "tollgate.log");
  }

  /** The last lines of its log, for messages of failed tests. */
  log() {
    return readFileSync(this.#logFile, "utf8").split("\n").slice(-30).join("\n");
  }

  /** Pulls the plug: no handler runs. */
  async kill() {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  /** Starts again on the same data directory. */
  async restart() {
    await this.#launch();
  }

  /** Asks it to end, and expects that it ends well. */
  async stop() {
    this.#child.kill("SIGTERM");
    const end = await withinMs(STOPPED_WITHIN_MS, "a graceful end", this.ended).catch((error) => {
      this.#child.kill("SIGKILL");
      throw error;
    });
    assert.deepEqual(end, { code: 0, signal: null }, `tollgate must end with exit code 0\n${this.log()}`);
    const left = readdirSync(this.room, { recursive: true }).filter((path) => path.endsWith("postmaster.pid"));
    assert.deepEqual(left, [], "its PostgreSQL ends with it");
  }

  /** Stops it and removes everything it kept. */
  async close() {
    process.off("exit", this.stopOnExit);
    try {
      if (this.#child.exitCode === null && this.#child.signalCode === null) await this.stop();
    } finally {
      rmSync(this.room, { recursive: true, force: true });
    }
  }
}

/** Ours, without settings that would point Tollgate elsewhere. */
function environment() {
  const ours = { ...process.env };
  for (const name of Object.keys(ours)) {
    if (name === "DATABASE_URL" || (name.startsWith("TOLLGATE_") && name !== "TOLLGATE_LOG")) delete ours[name];
  }
  return ours;
}

async function withinMs(limit, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${limit} ms for ${what}`)), limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks `probe` again until it returns something other than undefined; returns that and the milliseconds since `began`. */
export async function until(what, limitMs, probe, { began = performance.now(), everyMs = 10 } = {}) {
  for (;;) {
    const found = await probe();
    const ms = performance.now() - began;
    if (found !== undefined) return { found, ms };
    if (ms > limitMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
