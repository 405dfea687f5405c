/** `tandem designs [NAME]`: the designs, their parameters and presets. */
import type { CommandModule } from "yargs";
import type { Design, ParameterSpec } from "../../../driver/design.js";
import { DESIGNS, findDesign } from "../../registry.js";
import { count, table, type Column } from "../table.js";

interface Arguments {
  name: string | undefined;
}

export const designs: CommandModule<object, Arguments> = {
  command: "designs [name]",
  describe: "List designs, their parameters with defaults, units and ranges",
  builder: (yargs) => yargs.positional("name", { type: "string", describe: "Only this design" }),
  handler({ name }) {
    const chosen = name === undefined ? DESIGNS : [findDesign(name)];
    process.stdout.write(`${chosen.map(({ design }) => describeDesign(design)).join("\n\n")}\n`);
  },
};

const COLUMNS: readonly Column<ParameterSpec>[] = [
  { title: "parameter", cell: ({ name }) => name, align: "left" },
  { title: "default", cell: ({ default: value }) => (typeof value === "number" ? count(value) : String(value)) },
  { title: "unit", cell: ({ unit }) => unit, align: "left" },
  { title: "range", cell: range, align: "left" },
  { title: "meaning", cell: ({ description }) => description, align: "left" },
];

function describeDesign(design: Design): string {
  const presets = Object.entries(design.presets).map(([name, values]) => {
    const settings = Object.entries(values).map(([parameter, value]) => `${parameter}=${String(value)}`);
    return `preset ${name}: ${settings.join(" ")}`;
  });
  return [
    `${design.name}: ${design.title} (levels: ${design.levels.join(", ")})`,
    "",
    table(design.parameters, COLUMNS),
    ...(presets.length > 0 ? ["", ...presets] : []),
  ].join("\n");
}

function range({ values, min, max, default: preset }: ParameterSpec): string {
  if (values) return values.map(String).join(", ");
  if (typeof preset === "boolean") return "true, false";
  if (min === undefined && max === undefined) return "";
  return `${min === undefined ? "" : count(min)} to ${max === undefined ? "" : count(max)}`;
}
