/** Addresses of devices on a network: `tcp://host:port`. */
import { TandemError } from "../../hw/errors.js";

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

export function parseTcpAddress(text: string): TcpAddress {
  const match = /^tcp:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2] ?? 0);
  if (!match || port < 1 || port > 65535)
    throw new TandemError(`Address "${text}": expected tcp://HOST:PORT, with a port from 1 to 65535`, {
      hint: "For instance tcp://127.0.0.1:4017, as `tandem serve` prints it.",
    });
  return { host: match[1]!.replace(/^\[|\]$/g, ""), port };
}

export function formatTcpAddress({ host, port }: TcpAddress): string {
  return `tcp://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
