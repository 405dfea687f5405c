/** A page in headless Chromium: serves what it asks for, and waits until it sends back a result. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";

const types: Record<string, string> = {
  "": "text/html",
  ".html": "text/html",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * Ends Chromium with all of its helper processes. They are in a group of their own, because killing only the first one
 * leaves the others writing to the profile for a while.
 */
function endBrowser(browser: ChildProcess): Promise<void> {
  const { pid } = browser;
  if (pid === undefined) return Promise.resolve();
  const ended =
    browser.exitCode !== null || browser.signalCode !== null
      ? Promise.resolve()
      : new Promise<void>((resolve) => browser.once("exit", () => resolve()));
  killGroup(pid);
  return ended;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The whole group has ended by itself.
  }
}

/** The first process is gone, its helpers may still be going: tries for ten seconds. */
const removeProfile = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 13, retryDelay: 100 });

/**
 * Opens the page "" and gives what it posts to `/result`, parsed; a post to anywhere else is an error with its text.
 * `serve` gives the content of a path (without the slash) and throws where there is none.
 */
export async function askBrowser(chromium: string, serve: (path: string) => string | Uint8Array): Promise<unknown> {
  const profile = mkdtempSync(join(tmpdir(), "chromium-"));
  let browser: ChildProcess | undefined;
  const result = new Promise<unknown>((resolve, reject) => {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      if (request.method === "POST") {
        void body(request).then((text) => {
          response.end();
          if (url.pathname === "/result") resolve(JSON.parse(text));
          else reject(new Error(text));
          stop();
        });
        return;
      }
      try {
        const name = url.pathname.slice(1);
        const content = serve(name);
        response.setHeader("content-type", types[name === "" ? "" : extname(name)] ?? "text/javascript");
        response.end(content);
      } catch (error) {
        response.statusCode = 404;
        response.end(String(error));
      }
    });
    const stop = (): void => {
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
    };
    const timer = setTimeout(() => {
      stop();
      reject(new Error("Chromium gave no result within two minutes"));
    }, 120_000);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
      const url = `http://127.0.0.1:${port}/`;
      browser = spawn(chromium, [...args, `--user-data-dir=${profile}`, url], { stdio: "ignore", detached: true });
      const { pid } = browser;
      // A group of its own does not end with the tests when somebody interrupts them.
      if (pid !== undefined) process.once("exit", () => killGroup(pid));
      browser.on("error", reject);
      browser.on("exit", (code) => {
        stop();
        reject(new Error(`Chromium ended (${code ?? "by signal"}) before it had a result`));
      });
    });
  });
  try {
    return await result;
  } finally {
    if (browser !== undefined) await endBrowser(browser);
    await removeProfile(profile);
  }
}

async function body(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}
