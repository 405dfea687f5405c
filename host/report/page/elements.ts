/** Small helpers of the page: elements, figures with caption and formula, numbers. */
import type { Certainty } from "../../../sim/platform/constant.js";

type Child = Node | string;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  children: readonly Child[] = [],
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function badge(certainty: Certainty): HTMLElement {
  return element("span", { class: `badge ${certainty}` }, [certainty]);
}

export interface FigureText {
  readonly id: string;
  readonly title: string;
  readonly certainty: Certainty;
  /** What one sees. */
  readonly caption: string;
  /** How the numbers are computed, with units. */
  readonly formula: string;
}

/** A section with a heading; the formula shows on hover and, for keyboards and print, on opening. */
export function section(text: FigureText, content: readonly Child[]): HTMLElement {
  const { id, title, certainty, caption, formula } = text;
  return element("section", { id, "aria-labelledby": `${id}-title` }, [
    element("h2", { id: `${id}-title`, title: formula }, [title, " ", badge(certainty)]),
    element("p", { class: "caption" }, [caption]),
    ...content,
    element("details", { class: "formula" }, [
      element("summary", {}, ["How it is computed"]),
      element("p", {}, [formula]),
    ]),
  ]);
}

/** An SVG as a figure that a screen reader can name and a keyboard can reach. */
export function figure(label: string, drawing: Element): HTMLElement {
  return element("figure", { tabindex: "0", role: "group", "aria-label": label }, [drawing]);
}

export const number = (value: number, digits = 3): string => {
  if (value === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.max(0, digits - 1 - magnitude) });
};

export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

export function legend(entries: readonly { label: string; color: string }[]): HTMLElement {
  return element(
    "ul",
    { class: "legend" },
    entries.map(({ label, color }) =>
      element("li", {}, [element("span", { class: "swatch", style: `background:${color}` }), label]),
    ),
  );
}
