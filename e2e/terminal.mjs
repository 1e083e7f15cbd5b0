// A terminal: what was copied from a page is run as it was pasted.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs a pasted curl line in a shell; the status is learnt from curl's own settings file, not by changing the line. */
export async function paste(line) {
  const home = mkdtempSync(join(tmpdir(), "tollgate-e2e-curl-"));
  writeFileSync(join(home, ".curlrc"), 'silent\nshow-error\nnoproxy = "*"\nwrite-out = "\\n%{http_code} %{content_type}"\n');
  try {
    const { stdout } = await run("bash", ["-c", line], { env: { PATH: process.env.PATH, CURL_HOME: home }, timeout: 20_000 });
    const end = stdout.lastIndexOf("\n");
    const [status, type] = stdout.slice(end + 1).split(" ");
    return { status: Number(status), type, body: stdout.slice(0, end) };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
