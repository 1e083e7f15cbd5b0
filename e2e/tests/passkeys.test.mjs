// Passkeys with the browser's own virtual authenticator (CDP, domain WebAuthn): added, used to sign in, removed.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { after, before, test } from "node:test";

import { openBrowser, PASSWORD, Person, signUp } from "../person.mjs";
import { Tollgate } from "../tollgate.mjs";

let tollgate;
let browser;
let origin;

/** A port that was free a moment ago: passkeys belong to the origin, which must be known before the start. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

before(async () => {
  const port = await freePort();
  // Browsers make passkeys for names only.
  origin = `http://localhost:${port}`;
  tollgate = await Tollgate.start({ portal: `127.0.0.1:${port}`, settings: { TOLLGATE_PORTAL_URL: origin } });
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await tollgate?.close();
});

/** Plugs an authenticator in that always unlocks. */
async function authenticator(person) {
  const session = await person.context.newCDPSession(person.page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
  return { session, authenticatorId };
}

test("a passkey is added, signs in without a field, and opens nothing once it is removed", async () => {
  const maria = await Person.arrive(browser, origin);
  const { page } = maria;
  const { session, authenticatorId } = await authenticator(maria);
  await page.goto("/signup");
  await signUp(maria, "maria@example.com");
  maria.expectStatus(422);

  await page.goto("/account/passkeys");
  await page.getByLabel("Name", { exact: true }).fill("This laptop");
  await page.getByLabel("Your password").fill("not this one at all");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByText("not your password").waitFor();
  await page.getByLabel("Your password").fill(PASSWORD);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByText("“This laptop” signs you in from now on.").waitFor();
  const { credentials } = await session.send("WebAuthn.getCredentials", { authenticatorId });
  assert.equal(credentials.length, 1);
  assert.ok(credentials[0].isResidentCredential, "the authenticator itself knows whose it is");

  await page.getByRole("button", { name: "Add a passkey" }).waitFor();
  await page.getByLabel("Your password").fill(PASSWORD);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByText("holds a passkey of this account already").waitFor();

  await maria.context.clearCookies();
  await page.goto("/signin?next=/account/passkeys");
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.waitForURL("**/account/passkeys");
  await page.getByText("used", { exact: false }).first().waitFor();

  await page.getByRole("button", { name: "Remove This laptop" }).click();
  await page.getByText("It opens nothing any more").waitFor();
  await maria.context.clearCookies();
  await page.goto("/signin");
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByText("This passkey opens no account here").waitFor();
  maria.assertNothingWrong();
  await maria.leave();
});
