/** `tandem serve`: a simulated design behind a TCP port, for `--on tcp://HOST:PORT`. */
import type { Argv, ArgumentsCamelCase, CommandModule } from "yargs";
import { formatTcpAddress } from "../../../driver/transport/address.js";
import { TcpServer } from "../../../driver/transport/tcp-server.js";
import { openWorker } from "../../../driver/transport/worker.js";
import { DEFAULT_DESIGN, findDesign } from "../../registry.js";
import { oneLine, UsageError } from "../errors.js";
import { designOptions, parseSet, type DesignArguments } from "../options.js";

interface Arguments extends DesignArguments {
  host: string;
  port: number;
}

function builder(yargs: Argv): Argv<Arguments> {
  const own = yargs
    .option("host", {
      type: "string",
      default: "127.0.0.1",
      describe: "Address to listen at; other machines need another",
    })
    .option("port", { type: "number", default: 4017, describe: "Port; 0 takes a free one" });
  return designOptions(own);
}

export const serve: CommandModule<object, Arguments> = {
  command: "serve",
  describe: "Serve a simulated design on a TCP port",
  builder,
  handler,
};

async function handler(args: ArgumentsCamelCase<Arguments>): Promise<void> {
  const { host, port } = args;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError(`--port ${port}: expected 0 to 65535`);
  }
  const { design, module, export: exported } = findDesign(args.design ?? DEFAULT_DESIGN);
  const parameters = parseSet(args.set);
  design.configure(parameters);
  // In a worker, so that this thread can tell clients that it is alive while a layer runs.
  const device = await openWorker({ module, export: exported, parameters });
  try {
    const server = await TcpServer.listen(device, {
      host,
      port,
      log: (line) => process.stderr.write(`${oneLine(line)}\n`),
    });
    process.stdout.write(`serving ${design.name} at ${formatTcpAddress(server.address)}; Ctrl-C ends it\n`);
    await stopped();
    await server.close();
  } finally {
    await device.close();
  }
}

/** Resolves at the first signal to stop; a second one ends the process at once. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
