// `npm test`: install the Debian packages that tests use (where there is apt), build, then type check and lint, then the
// whole suite. One command, one exit code.
import { spawnSync } from "node:child_process";

// Tests that need a package which is not there skip visibly, so this step may fail.
spawnSync("bash", ["scripts/setup-debian.sh"], { stdio: "inherit" });

const steps = [
  ["npm", ["run", "--silent", "build"]],
  ["npm", ["run", "--silent", "lint"]],
  ["npx", ["mocha", "dist/test/**/*.spec.js", ...process.argv.slice(2)]],
];
for (const [command, args] of steps) {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
