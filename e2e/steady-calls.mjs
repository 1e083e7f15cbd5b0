// Calls that go on in the background while something changes, so that a dropped one is noticed.

import { setTimeout as pause } from "node:timers/promises";

const LANES = 2;
const PAUSE_MS = 2;

export class SteadyCalls {
  #going = true;
  #lanes;
  made = 0;
  failed = [];

  constructor(url, key) {
    this.#lanes = Array.from({ length: LANES }, () => this.#go(url, key));
  }

  async #go(url, key) {
    while (this.#going) {
      try {
        const answer = await fetch(url, { headers: { "x-api-key": key } });
        const text = await answer.text();
        if (answer.status !== 200) this.failed.push(`${answer.status} ${text}`);
      } catch (error) {
        this.failed.push(`${error.message}: ${error.cause?.message}`);
      }
      this.made += 1;
      await pause(PAUSE_MS);
    }
  }

  /** Returns when so many more calls were made. */
  async more(calls) {
    const goal = this.made + calls;
    while (this.made < goal) await pause(PAUSE_MS);
  }

  async stop() {
    this.#going = false;
    await Promise.all(this.#lanes);
  }
}
