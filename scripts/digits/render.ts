/**
 * Renders digits: a glyph under a random affine map and a smooth bend, drawn as the distance to its strokes, on a ground with
 * random levels, a gradient of light, blur and noise. Dark on light and light on dark are equally likely.
 */
import { type Font, fonts, type Glyph } from "./fonts.js";
import { random, type Random } from "./random.js";

/** Pixels on a side of the network's input. */
export const side = 28;

export interface Sample {
  readonly digit: number;
  readonly font: string;
  /** Grey levels, `[size][size]`. */
  readonly pixels: Uint8Array;
}

/** Everything random about one picture; lengths in pixels of a 28 x 28 picture. */
interface Look {
  readonly height: number;
  readonly aspect: number;
  readonly angle: number;
  readonly slant: number;
  readonly shiftX: number;
  readonly shiftY: number;
  /** Half of the stroke's width. */
  readonly pen: number;
  /** Width over which an edge goes from ink to ground. */
  readonly edge: number;
  readonly ground: number;
  readonly ink: number;
  readonly lightX: number;
  readonly lightY: number;
  readonly noise: number;
  readonly bends: readonly { amount: number; frequency: number; phase: number }[];
}

/** Picture number `index` of the set named by `seed`: digit, font and look follow from the two alone. */
export function sample(
  seed: number,
  index: number,
  size = side,
  wanted: { digit?: number; font?: string } = {},
): Sample {
  const source = random(Math.imul(seed, 0x2545f491) ^ Math.imul(index + 1, 0x27220a95));
  const digit = wanted.digit ?? index % 10;
  const drawn = fonts[source.below(fonts.length)]!;
  const font = wanted.font === undefined ? drawn : fonts.find(({ name }) => name === wanted.font)!;
  const forms = font.forms[digit]!;
  const glyph = forms[source.below(forms.length)]!;
  const look = randomLook(source, font);
  return { digit, font: font.name, pixels: draw(place(glyph, look), look, font, size, source) };
}

function randomLook(source: Random, font: Font): Look {
  const dark = source.between(0, 0.45);
  const light = Math.min(1, source.between(dark + 0.35, 1.1));
  const inverse = source.chance(0.5);
  const height = source.between(13, 25);
  const display = font.name === "segments" || font.name === "dots";
  // Dots have to touch; other pens are free, but not so fat that counters close.
  const pen = font.name === "dots" ? (height / 6) * source.between(0.42, 0.62) : height * source.between(0.035, 0.1);
  const aspect = source.between(0.8, 1.2);
  const slant = source.between(-0.15, 0.3);
  // Anywhere in the frame, as long as an upright digit stays within it.
  const roomX = Math.max(0, side / 2 - height * (0.3 * aspect + 0.5 * Math.abs(slant)) - pen);
  const roomY = Math.max(0, side / 2 - height / 2 - pen);
  return {
    height,
    aspect,
    angle: source.between(-0.2, 0.2),
    slant,
    shiftX: source.between(-roomX, roomX),
    shiftY: source.between(-roomY, roomY),
    pen: Math.max(pen, 0.6),
    edge: source.between(0.7, 1.8),
    ground: inverse ? dark : light,
    ink: inverse ? light : dark,
    lightX: source.between(-0.12, 0.12),
    lightY: source.between(-0.12, 0.12),
    noise: source.chance(0.25) ? 0 : source.between(0, 0.11),
    bends: Array.from({ length: display ? 0 : 2 }, () => ({
      amount: source.between(0, font.name === "hand" ? 0.05 : 0.025),
      frequency: source.between(0.4, 1.2),
      phase: source.uniform(),
    })),
  };
}

/** Line segments `x0, y0, x1, y1` in pixels of a 28 x 28 picture. */
function place(glyph: Glyph, look: Look): Float64Array {
  const [alongX, alongY] = look.bends;
  const wave = (bend: Look["bends"][number] | undefined, t: number): number =>
    bend === undefined ? 0 : bend.amount * Math.sin(2 * Math.PI * (bend.frequency * t + bend.phase));
  const cos = Math.cos(look.angle);
  const sin = Math.sin(look.angle);
  const placed = (x: number, y: number): [number, number] => {
    const bentY = y - 0.5 + wave(alongY, x);
    const bentX = (x - 0.3 + wave(alongX, y)) * look.aspect - look.slant * bentY;
    return [
      side / 2 + look.shiftX + look.height * (cos * bentX - sin * bentY),
      side / 2 + look.shiftY + look.height * (sin * bentX + cos * bentY),
    ];
  };
  return Float64Array.from(
    glyph.flatMap((stroke) => {
      const points = Array.from({ length: stroke.length / 2 }, (_, i) => placed(stroke[2 * i]!, stroke[2 * i + 1]!));
      return points.slice(1).flatMap((point, i) => [...points[i]!, ...point]);
    }),
  );
}

function draw(lines: Float64Array, look: Look, font: Font, size: number, source: Random): Uint8Array {
  const scale = side / size;
  const pixels = new Uint8Array(size * size);
  for (let row = 0; row < size; row++) {
    const y = (row + 0.5) * scale;
    for (let column = 0; column < size; column++) {
      const x = (column + 0.5) * scale;
      const inside = look.pen - distance(lines, x, y, font.cap === "square", look.pen);
      const cover = Math.min(1, Math.max(0, 0.5 + inside / look.edge));
      const light = look.lightX * (x / side - 0.5) + look.lightY * (y / side - 0.5);
      const level = look.ground + (look.ink - look.ground) * cover + light + look.noise * source.normal();
      pixels[row * size + column] = Math.round(255 * Math.min(1, Math.max(0, level)));
    }
  }
  return pixels;
}

/** Distance to the nearest line; square caps reach half a pen beyond the ends, at right angles. */
function distance(lines: Float64Array, x: number, y: number, square: boolean, pen: number): number {
  let nearest = Infinity;
  for (let i = 0; i < lines.length; i += 4) {
    const dx = lines[i + 2]! - lines[i]!;
    const dy = lines[i + 3]! - lines[i + 1]!;
    const px = x - lines[i]!;
    const py = y - lines[i + 1]!;
    const squared = dx * dx + dy * dy;
    let far: number;
    if (square && squared > 0) {
      const length = Math.sqrt(squared);
      const along = (px * dx + py * dy) / length;
      const beyond = Math.max(-along, along - length) - pen / 2;
      far = Math.max(Math.abs(px * dy - py * dx) / length, beyond > -pen ? beyond + pen : 0);
    } else {
      const t = squared === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / squared));
      far = Math.sqrt((px - t * dx) ** 2 + (py - t * dy) ** 2);
    }
    if (far < nearest) nearest = far;
  }
  return nearest;
}
