import { expect } from "chai";
import fc from "fast-check";
import { TandemError } from "../../../hw/errors.js";
import { decodeImage } from "../../../host/images/decode.js";
import { bmp, interlacedPng, jpg, paletteBmp, pattern, png } from "./files.js";

describe("decoding of pictures", () => {
  it("reads a PNG exactly", () => {
    const image = pattern(7, 5);
    expect(decodeImage("a.png", png(image))).to.deep.equal(image);
  });

  it("reads an interlaced PNG exactly", () => {
    for (const [width, height] of [
      [8, 8],
      [5, 3],
      [1, 1],
      [13, 9],
    ] as const) {
      const { data } = decodeImage(
        "a.png",
        interlacedPng(width, height, (x, y) => 11 * x + 3 * y),
      );
      const grey = [...data].filter((_, i) => i % 3 === 0);
      expect(grey).to.deep.equal(
        Array.from({ length: width * height }, (_, i) => 11 * (i % width) + 3 * Math.floor(i / width)),
      );
    }
  });

  it("lays a transparent PNG on white", () => {
    const { data } = decodeImage(
      "a.png",
      png({ width: 1, height: 1, data: Uint8Array.of(0, 100, 200) }, { alpha: 51 }),
    );
    expect([...data]).to.deep.equal([204, 224, 244]);
  });

  it("reads a JPEG to within its losses", () => {
    const data = Uint8Array.from({ length: 32 * 24 * 3 }, (_, i) => 40 + Math.floor(i / 96) * 5 + (i % 3) * 20);
    const image = decodeImage("a.jpg", jpg({ width: 32, height: 24, data }, 95));
    expect([image.width, image.height]).to.deep.equal([32, 24]);
    const worst = image.data.reduce((most, sample, i) => Math.max(most, Math.abs(sample - data[i]!)), 0);
    expect(worst).to.be.below(8);
  });

  for (const bits of [24, 32] as const) {
    for (const topDown of [false, true]) {
      it(`reads a ${bits}-bit BMP, rows from the ${topDown ? "top" : "bottom"}, exactly`, () => {
        for (const width of [1, 2, 3, 4, 5]) {
          const image = pattern(width, 3);
          expect(decodeImage("a.bmp", bmp(image, { bits, topDown }))).to.deep.equal(image);
        }
      });
    }
  }

  for (const bits of [1, 4, 8] as const) {
    it(`reads a ${bits}-bit BMP through its palette`, () => {
      const palette = Array.from({ length: 2 ** bits }, (_, i) => [i, (i * 7) & 255, 255 - i] as const);
      const indices = Array.from({ length: 11 * 3 }, (_, i) => (i * 5) % palette.length);
      const image = decodeImage("a.bmp", paletteBmp(11, 3, bits, palette, indices));
      expect([...image.data]).to.deep.equal(indices.flatMap((index) => [...palette[index]!]));
    });
  }

  it("reads 16-bit and masked 32-bit BMPs", () => {
    const image = { width: 1, height: 1, data: Uint8Array.of(0, 0, 0) };
    const five = bmp(image, { bits: 32 });
    const view = new DataView(five.buffer);
    view.setUint16(28, 16, true);
    view.setUint16(54, (31 << 10) | (16 << 5), true);
    expect([...decodeImage("a.bmp", five).data]).to.deep.equal([255, 132, 0]);

    const masked = new Uint8Array([...bmp(image, { bits: 32 }).subarray(0, 54), ...new Uint8Array(16)]);
    const fields = new DataView(masked.buffer);
    fields.setUint32(10, 66, true);
    fields.setUint32(30, 3, true);
    [0xff000000, 0x00ff0000, 0x0000ff00].forEach((mask, i) => fields.setUint32(54 + 4 * i, mask, true));
    fields.setUint32(66, 0xfe_80_01_77, true);
    expect([...decodeImage("a.bmp", masked).data]).to.deep.equal([0xfe, 0x80, 0x01]);
  });

  describe("bad files end in one line that names the file", () => {
    const whole = { png: png(pattern(40, 30)), jpg: jpg(pattern(40, 30)), bmp: bmp(pattern(40, 30), { bits: 24 }) };
    const refuses = (bytes: Uint8Array, what: RegExp): void => {
      expect(() => decodeImage("holiday.img", bytes))
        .to.throw(TandemError, what)
        .with.property("message")
        .matches(/^holiday\.img: [^\n]+$/);
    };
    const patched = (bytes: Uint8Array, at: number, ...values: number[]): Uint8Array => {
      const copy = bytes.slice();
      copy.set(values, at);
      return copy;
    };

    it("no picture at all, or an empty file", () => {
      refuses(Buffer.from("hello, world"), /neither PNG, JPEG nor BMP/);
      refuses(new Uint8Array(0), /empty/);
    });

    it("truncated", () => {
      for (const bytes of Object.values(whole)) {
        for (const share of [0.05, 0.3, 0.6, 0.9])
          refuses(bytes.subarray(0, Math.floor(bytes.length * share)), /truncated/);
      }
    });

    it("larger than 48 megapixels by its header, before anything is allocated", () => {
      refuses(patched(whole.png, 16, 0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60), /60000x60000.*48 megapixels/);
      refuses(patched(whole.bmp, 18, 0, 0, 0, 0x70, 0, 0, 0, 0x80), /48 megapixels/);
      const frame = whole.jpg.findIndex((byte, i) => byte === 0xff && whole.jpg[i + 1] === 0xc0);
      refuses(patched(whole.jpg, frame + 5, 0xfd, 0xe8, 0xfd, 0xe8), /48 megapixels/);
    });

    it("too short for the size that they claim, before anything is allocated", () => {
      refuses(
        patched(whole.png, 16, 0, 0, 0x17, 0x70, 0, 0, 0x17, 0x70),
        /truncated PNG: \d+ bytes cannot hold 6000x6000/,
      );
      const frame = whole.jpg.findIndex((byte, i) => byte === 0xff && whole.jpg[i + 1] === 0xc0);
      refuses(patched(whole.jpg, frame + 5, 0x17, 0x70, 0x17, 0x70), /truncated JPEG: \d+ bytes cannot hold 6000x6000/);
    });

    it("without pixels", () => {
      refuses(patched(whole.bmp, 18, 0, 0, 0, 0), /0x30 pixels/);
      refuses(patched(whole.bmp, 18, 0xfc, 0xff, 0xff, 0xff), /-4x30 pixels/);
    });

    it("compressed bitmaps, odd depths, and palettes that do not hold their pixels", () => {
      refuses(patched(whole.bmp, 30, 1), /RLE8/);
      refuses(patched(whole.bmp, 28, 5), /5 bits per pixel/);
      refuses(paletteBmp(2, 1, 8, [[1, 2, 3]], [0, 1]), /colour 1 of a palette of 1/);
    });

    it("an interlaced PNG whose data inflates to far more than its picture", () => {
      const big = interlacedPng(200, 200, () => 7);
      expect(decodeImage("a.png", big).width).to.equal(200);
      // The header now says 1 x 1: at most 71 bytes of data, not 40,000.
      refuses(patched(big, 16, 0, 0, 0, 1, 0, 0, 0, 1), /larger than 71 bytes/);
    });

    it("whatever bytes are changed, the answer is a picture or that one line", function () {
      this.timeout(180_000);
      const files = fc.constantFrom(
        ...Object.values(whole),
        interlacedPng(20, 20, (x, y) => x * y),
        paletteBmp(9, 9, 4, [[1, 2, 3]], Array<number>(81).fill(0)),
      );
      const edits = fc.array(fc.record({ at: fc.double({ min: 0, max: 0.999, noNaN: true }), byte: fc.nat(255) }), {
        minLength: 1,
        maxLength: 8,
      });
      const head = fc.boolean();
      fc.assert(
        fc.property(files, edits, head, fc.double({ min: 0.1, max: 1, noNaN: true }), (file, changes, early, keep) => {
          const bytes = file.slice(0, Math.ceil(file.length * keep));
          for (const { at, byte } of changes)
            bytes[Math.floor(at * (early ? Math.min(80, bytes.length) : bytes.length))] = byte;
          try {
            const { width, height, data } = decodeImage("x", bytes);
            expect(data.length).to.equal(width * height * 3);
          } catch (error) {
            expect(error).to.be.instanceOf(TandemError);
            expect((error as Error).message).to.match(/^x: [^\n]+$/);
          }
        }),
        { numRuns: 2000 },
      );
    });
  });
});
