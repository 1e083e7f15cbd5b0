// The private PostgreSQL of a Tollgate, taken away and given back as an operator's server might be.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

import { until } from "./tollgate.mjs";

export class Postgres {
  #data;
  #child;

  /** The one below this directory. */
  constructor(room) {
    const found = readdirSync(room, { recursive: true }).find((path) => path.endsWith("postmaster.pid"));
    this.#data = dirname(join(room, found));
  }

  get #pidFile() {
    return join(this.#data, "postmaster.pid");
  }

  /** Stops it at once; whoever is connected is sent away. */
  async stop() {
    const [pid] = readFileSync(this.#pidFile, "utf8").split("\n");
    process.kill(Number(pid), "SIGINT");
    await until("the end of PostgreSQL", 10_000, () => existsSync(this.#pidFile) ? undefined : true);
  }

  /** Starts it as it was started before, under the account that owns its files. */
  async start() {
    const [program, ...flags] = [...readFileSync(join(this.#data, "postmaster.opts"), "utf8").trim().matchAll(/"([^"]*)"|(\S+)/g)]
      .map(([, quoted, plain]) => quoted ?? plain);
    const { uid, gid } = statSync(this.#data);
    this.#child = spawn(program, flags, { uid, gid, cwd: "/", stdio: "ignore" });
    await once(this.#child, "spawn");
    await until("PostgreSQL to be ready", 20_000, () => /ready/.test(readFileSync(this.#pidFile, "utf8")) || undefined)
      .catch((error) => { throw new Error(`${error.message} (exit code ${this.#child.exitCode})`); });
  }

  /** Ends the one that was started here. */
  async close() {
    if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGINT");
      await once(this.#child, "exit");
    }
  }
}
