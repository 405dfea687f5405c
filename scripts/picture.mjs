// Draws what a command prints as an SVG, for the README: node scripts/picture.mjs "tandem run" < output > docs/run.svg
import { readFileSync } from "node:fs";

const title = process.argv[2] ?? "";
const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const lines = [`$ ${title}`, ...readFileSync(0, "utf8").trimEnd().split("\n")];
const columns = Math.max(...lines.map((line) => line.length));
const [charWidth, lineHeight, margin] = [7.8, 17, 16];
const width = Math.ceil(columns * charWidth + 2 * margin);
const height = lines.length * lineHeight + 2 * margin;
const rows = lines.map((line, i) => {
  const y = Math.round(margin + (i + 0.8) * lineHeight);
  const colour = i === 0 ? "#9ece6a" : "#c0caf5";
  return `  <text x="${margin}" y="${y}" fill="${colour}" xml:space="preserve">${escape(line)}</text>`;
});
process.stdout
  .write(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="What ${escape(title)} prints">
  <rect width="100%" height="100%" rx="8" fill="#1a1b26"/>
  <g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">
${rows.join("\n")}
  </g>
</svg>
`);
