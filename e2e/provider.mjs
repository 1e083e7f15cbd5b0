// An OpenID Connect provider at which somebody is signed in already: it sends everybody straight back as that person.

import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";

const CLIENT = "tollgate";

export class Provider {
  #server;
  #keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  #codes = new Map();
  /** Whom it sends back next. */
  somebody = { sub: "1", email: "somebody@example.com" };

  static async start() {
    const provider = new Provider();
    provider.#server = createServer((request, response) => {
      provider.#answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
    });
    provider.#server.listen(0, "127.0.0.1");
    await once(provider.#server, "listening");
    provider.url = `http://127.0.0.1:${provider.#server.address().port}`;
    return provider;
  }

  /** The file that TOLLGATE_IDENTITY_PROVIDERS names. */
  settings(slug, name) {
    const one = { slug, name, issuer: this.url, client_id: CLIENT, for: ["developers"], networks: "127.0.0.0/8" };
    return JSON.stringify({ providers: [one] });
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.url);
    if (url.pathname === "/authorize") {
      const { state, nonce, redirect_uri, code_challenge } = Object.fromEntries(url.searchParams);
      const code = randomUUID();
      this.#codes.set(code, { nonce, code_challenge });
      const back = `${redirect_uri}?${new URLSearchParams({ code, state })}`;
      return response.writeHead(302, { location: back }).end();
    }
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(await this.#said(url.pathname, request)));
  }

  async #said(path, request) {
    switch (path) {
      case "/.well-known/openid-configuration":
        return {
          issuer: this.url,
          authorization_endpoint: `${this.url}/authorize`,
          token_endpoint: `${this.url}/token`,
          jwks_uri: `${this.url}/keys`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["RS256"],
        };
      case "/keys":
        return { keys: [{ ...this.#keys.publicKey.export({ format: "jwk" }), kid: "one", use: "sig", alg: "RS256" }] };
      case "/token":
        return this.#token(new URLSearchParams(await text(request)));
      default:
        throw new Error(`nobody asks a provider for ${path}`);
    }
  }

  /** Good once, and only for whoever began it (RFC 7636). */
  #token(form) {
    const { nonce, code_challenge } = this.#codes.get(form.get("code"));
    this.#codes.delete(form.get("code"));
    const proof = createHash("sha256").update(form.get("code_verifier")).digest("base64url");
    if (proof !== code_challenge) throw new Error("another browser began this");
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.url, aud: CLIENT, iat: now, exp: now + 300, nonce, email_verified: true, ...this.somebody };
    const parts = [{ alg: "RS256", kid: "one", typ: "JWT" }, claims];
    const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    const signature = sign("sha256", Buffer.from(signed), this.#keys.privateKey).toString("base64url");
    return { access_token: randomUUID(), token_type: "Bearer", expires_in: 300, id_token: `${signed}.${signature}` };
  }

  async stop() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function text(request) {
  let all = "";
  for await (const piece of request) all += piece;
  return all;
}
