// Somebody's own service behind the gateway, which remembers what reached it.

import { createServer } from "node:http";
import { once } from "node:events";

export class Upstream {
  #server;
  /** The headers of every request, oldest first. */
  seen = [];

  static async start() {
    const upstream = new Upstream();
    upstream.#server = createServer((request, response) => {
      upstream.seen.push(request.headers);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ method: request.method, path: request.url }));
    });
    upstream.#server.listen(0, "127.0.0.1");
    await once(upstream.#server, "listening");
    upstream.url = `http://127.0.0.1:${upstream.#server.address().port}`;
    return upstream;
  }

  async stop() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
