/** `tandem serve`: a simulated design on a TCP port, for drivers elsewhere. The board's server speaks the same protocol. */
import type { ArgumentsCamelCase, Argv, CommandModule } from "yargs";
import { formatTcpAddress } from "../../../driver/transport/address.js";
import { RestartingDevice } from "../../../driver/transport/restarting.js";
import { TcpServer } from "../../../driver/transport/tcp-server.js";
import { openSimulator, type Engine } from "../../accelerators.js";
import { UsageError } from "../errors.js";
import { designOptions, engineOption, parseSet, type DesignArguments } from "../options.js";

interface Arguments extends DesignArguments {
  port: number;
  host: string;
  engine: Engine | undefined;
}

function builder(yargs: Argv): Argv<Arguments> {
  return designOptions(yargs)
    .option("engine", engineOption)
    .option("port", { type: "number", default: 0, requiresArg: true, describe: "TCP port; 0 takes a free one" })
    .option("host", {
      type: "string",
      default: "127.0.0.1",
      requiresArg: true,
      describe: "Address to listen on; any other than this machine's own lets others in, without a password",
    });
}

export const serve: CommandModule<object, Arguments> = {
  command: "serve",
  describe: "Simulate a design for drivers that connect over TCP",
  builder,
  handler,
};

async function handler(args: ArgumentsCamelCase<Arguments>): Promise<void> {
  const { port, host } = args;
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new UsageError(`--port ${port}: expected 0 to 65535`);
  const stopped = signalled();
  const log = (line: string): void => void process.stderr.write(`tandem serve: ${line}\n`);
  const request = { design: args.design, set: parseSet(args.set), engine: args.engine };
  const device = await RestartingDevice.of(() => openSimulator(request), log);
  try {
    const server = await TcpServer.listen(device, { host, port, log });
    const { design, engine, level } = await device.describe();
    process.stdout.write(`tandem serve: ${design} (${engine}, ${level}) on ${formatTcpAddress(server.address)}\n`);
    await stopped;
    // The simulator first: a long run is not waited for.
    await device.close();
    await server.close();
  } finally {
    await device.close();
  }
}

/** Resolves at Ctrl-C or a polite kill. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
