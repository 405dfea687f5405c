/** `tandem designs [NAME]`: what there is to simulate, and what can be set. */
import type { CommandModule } from "yargs";
import type { Design, ParameterSpec } from "../../../driver/design.js";
import { openDesign } from "../../design-file.js";
import { allDesigns } from "../../registry.js";
import { table, type Column } from "../table.js";

interface Arguments {
  name: string | undefined;
  json: boolean;
}

export const designs: CommandModule<object, Arguments> = {
  command: "designs [name]",
  describe: "List the designs and their parameters, with defaults, units and ranges",
  builder: (yargs) =>
    yargs
      .positional("name", { type: "string", describe: "Only this design: its name, or a file that exports one" })
      .option("json", { type: "boolean", default: false, describe: "As JSON, on standard output" }),
  async handler({ name, json }) {
    const found = name === undefined ? await allDesigns() : [await openDesign(name)];
    const chosen = found.map(({ design }) => design);
    process.stdout.write(
      json ? `${JSON.stringify(chosen.map(plain), null, 2)}\n` : `${chosen.map(describeDesign).join("\n\n")}\n`,
    );
  },
};

function plain({ name, title, levels, parameters, presets, ...design }: Design): object {
  return { name, title, levels, peakMacsPerClock: design.peakMacsPerClock(design.configure()), parameters, presets };
}

export function describeDesign(design: Design): string {
  const { name, title, levels, parameters, presets } = design;
  const columns: Column<ParameterSpec>[] = [
    { title: "parameter", cell: (p) => p.name, align: "left" },
    // Plain digits: what is shown is what --set takes.
    { title: "default", cell: (p) => String(p.default) },
    { title: "unit", cell: ({ unit }) => unit, align: "left" },
    { title: "range", cell: range, align: "left" },
    { title: "what it is", cell: ({ description }) => description, align: "left" },
  ];
  const peak = design.peakMacsPerClock(design.configure());
  const named = Object.keys(presets);
  return [
    `${name}: ${title}; levels ${levels.join(", ")}; ${peak} multiply-accumulates per clock by default`,
    table(parameters, columns),
    ...(named.length > 0 ? [`presets: ${named.join(", ")}`] : []),
  ].join("\n");
}

function range({ values, min, max, default: value }: ParameterSpec): string {
  if (values) return values.map(String).join(", ");
  if (typeof value === "boolean") return "true, false";
  if (min !== undefined && max !== undefined) return `${min} to ${max}`;
  if (min !== undefined) return `${min} or more`;
  return max === undefined ? "" : `${max} or less`;
}
