/** What the page in the browser does: fetch the IR, run the layer, send back what came of it. */
import { runLayer } from "./layer.js";

async function main(): Promise<void> {
  try {
    const response = await fetch("/ir.json");
    const outcome = runLayer(await response.text());
    await fetch("/result", { method: "POST", body: JSON.stringify(outcome) });
  } catch (error) {
    await fetch("/failed", { method: "POST", body: error instanceof Error ? String(error.stack) : String(error) });
  }
}

await main();
