// A script of the operator: the admin API over its token.

import assert from "node:assert/strict";

export class AdminApi {
  #url;
  #token;

  constructor({ admin_url, admin_token }) {
    this.#url = admin_url;
    this.#token = admin_token;
  }

  /** Sends a request and returns the body of its good answer. */
  async send(method, path, body) {
    const answer = await fetch(this.#url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body && { "content-type": "application/json" }),
        // The thing whatever it is now: a script that has it for itself.
        ...(["PATCH", "DELETE"].includes(method) && { "if-match": "*" }),
      },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path} answered ${answer.status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  create(collection, body) {
    return this.send("POST", `/v1/${collection}`, body);
  }
}
