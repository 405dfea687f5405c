// `npm test`: build, then type check and lint, then the whole suite. One command, one exit code.
import { spawnSync } from "node:child_process";

const steps = [
  ["npm", ["run", "--silent", "build"]],
  ["npm", ["run", "--silent", "lint"]],
  ["npx", ["mocha", ...process.argv.slice(2)]],
];
for (const [command, args] of steps) {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
