import { expect } from "chai";
import fc from "fast-check";
import { TandemError } from "../../../hw/errors.js";
import { readNpy } from "../../../host/images/npy.js";
import { npy } from "./files.js";

describe(".npy arrays", () => {
  for (const version of [1, 2, 3] as const) {
    it(`reads format version ${version}`, () => {
      const array = readNpy("a.npy", npy("|i1", [2, 3], Uint8Array.of(1, 2, 3, 253, 254, 255), { version }));
      expect(array).to.deep.equal({ type: "i1", shape: [2, 3], bytes: Uint8Array.of(1, 2, 3, 253, 254, 255) });
    });
  }

  it("turns big-endian elements round", () => {
    expect([...readNpy("a.npy", npy(">f4", [1], Uint8Array.of(1, 2, 3, 4))).bytes]).to.deep.equal([4, 3, 2, 1]);
  });

  it("reads a scalar and a vector, for which Fortran order means nothing", () => {
    expect(readNpy("a.npy", npy("|u1", [], Uint8Array.of(9))).shape).to.deep.equal([]);
    expect(readNpy("a.npy", npy("|u1", [1, 2], Uint8Array.of(9, 8), { fortran: true })).shape).to.deep.equal([1, 2]);
  });

  it("refuses what it does not read, naming the file and what to do", () => {
    const refuses = (bytes: Uint8Array, what: RegExp): void => {
      expect(() => readNpy("a.npy", bytes)).to.throw(TandemError, what);
    };
    const six = new Uint8Array(6);
    refuses(npy("<i8", [6], new Uint8Array(48)), /a\.npy: elements of type '<i8'/);
    refuses(npy("|u1", [2, 3], six, { fortran: true }), /Fortran/);
    refuses(npy("|u1", [2, 4], six), /truncated.*8 bytes of data, the file has 6/);
    refuses(npy("|u1", [5], six), /left over/);
    refuses(npy("|u1", [6], six).subarray(0, 40), /ends within its header/);
    refuses(Buffer.from("\x93NUMPZ"), /does not begin/);
    const version = npy("|u1", [6], six);
    version[6] = 9;
    refuses(version, /version 9/);
  });

  it("survives any change of any bytes", () => {
    const whole = npy("<f4", [3, 4], new Uint8Array(48));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (changes) => {
          const bytes = whole.slice();
          for (const [at, byte] of changes) bytes[at] = byte;
          try {
            const { shape, bytes: data } = readNpy("x", bytes);
            expect(data.length).to.be.at.most(48);
            expect(shape.every((n) => n >= 0)).to.equal(true);
          } catch (error) {
            expect(error).to.be.instanceOf(TandemError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
