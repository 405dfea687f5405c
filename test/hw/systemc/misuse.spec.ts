/** Mistakes are named as SystemC names them, with the file and line of the user's call that is at fault. */
import { expect } from "chai";
import { TandemError } from "../../../hw/errors.js";
import * as sc from "../../../sim/systemc/index.js";

class Reader extends sc.Module {
  readonly in = new sc.FifoInPort<number>(this, "in");
}
class Driver extends sc.Module {
  readonly y = new sc.Out<number>(this, "y");
}

/** Line of this file from which this is called. */
function line(): number {
  const frame = (new Error().stack ?? "")
    .split("\n")
    .find((text) => text.includes("misuse.spec") && !text.includes("at line "));
  return Number(/:(\d+):\d+\)?$/.exec(frame ?? "")?.[1]);
}

describe("SystemC misuse", () => {
  let sim: sc.Simulation;
  let at = 0;
  beforeEach(() => {
    sim = new sc.Simulation();
    at = 0;
  });

  /** What `action` reports; its place must be the line after the last `at = line()`. */
  function report(action: () => void): string {
    try {
      action();
    } catch (error) {
      if (!(error instanceof sc.ReportError)) throw error;
      expect(error).to.be.instanceOf(TandemError);
      const [, file, number] = /([^/]+):(\d+):\d+$/.exec(error.report.location) ?? [];
      expect(file).to.match(/^misuse\.spec\.[jt]s$/);
      expect(Number(number), "line").to.equal(at + 1);
      expect(error.message).to.contain(error.report.location);
      return error.message;
    }
    throw new Error("nothing was reported");
  }

  it("names two drivers of a signal, and the second one's write", () => {
    const s = new sc.Signal(sim, "s", 0);
    sc.spawn(() => s.write(1), "first", { method: true });
    sc.spawn(() => {
      at = line();
      s.write(2);
    }, "second");
    expect(report(() => sim.start())).to.match(
      /\(E115\) sc_signal<T> cannot have more than one driver.*`s'.*`first'.*`second'/s,
    );
  });

  it("names two output ports on one signal, and the second binding", () => {
    const s = new sc.Signal(sim, "s", 0);
    // Ports are completed from the last to the first, so the binding of the first module is the second seen.
    const [one, two] = [new Driver(sim, "one"), new Driver(sim, "two")];
    at = line();
    one.y.bind(s);
    two.y.bind(s);
    expect(report(() => sim.start())).to.match(/\(E115\).*`two\.y' \(sc_out\).*`one\.y'/s);
  });

  it("names a wait in a method", () => {
    const wait = (): void => {
      at = line();
      sc.wait(sc.ns(1));
    };
    sc.spawn(wait, "m", { method: true });
    expect(report(() => sim.start())).to.match(/\(E519\) wait\(\) is only allowed in SC_THREADs.*In process: m @ 0 s/s);
  });

  it("names next_trigger in a thread", () => {
    const body = function* (): Generator<sc.Wait, void, void> {
      yield sc.wait(sc.ns(3));
      at = line();
      sc.nextTrigger(sc.ns(1));
    };
    sc.spawn(body, "t");
    expect(report(() => sim.start())).to.match(/\(E520\) next_trigger\(\) is only allowed in SC_METHODs.*t @ 3 ns/s);
  });

  it("names a wait that was not yielded", () => {
    const body = function* (): Generator<sc.Wait, void, void> {
      sc.wait(sc.ns(1));
      at = line();
      yield sc.wait(sc.ns(1));
    };
    sc.spawn(body, "t");
    expect(report(() => sim.start())).to.match(/wait\(\) without yield.*thread 't'/s);
  });

  it("names an unbound port, and where it was made", () => {
    class Lonely extends sc.Module {
      readonly before = (at = line());
      readonly in = new sc.In<number>(this, "in");
    }
    new Lonely(sim, "lonely");
    expect(report(() => sim.start())).to.match(/\(E109\) complete binding failed: port not bound: port 'lonely\.in'/);
  });

  it("names a FIFO with two readers, and the second binding", () => {
    const fifo = new sc.Fifo<number>(sim, "f", 2);
    const [one, two] = [new Reader(sim, "one"), new Reader(sim, "two")];
    at = line();
    one.in.bind(fifo);
    two.in.bind(fifo);
    expect(report(() => sim.start())).to.match(/\(E104\) sc_fifo<T> cannot have more than one reader.*'f'.*one\.in/s);
  });

  it("names an immediate notification outside of evaluation", () => {
    const e = new sc.Event(sim, "e");
    const notify = (): void => {
      at = line();
      e.notify();
    };
    expect(report(notify)).to.match(
      /\(E521\) immediate notification is not allowed during update phase or elaboration/,
    );
  });

  it("says what to do where there is no simulation for a time", () => {
    expect(() => sc.timeFromString("3 lightyears")).to.throw(sc.ReportError, /invalid unit given/);
    expect(() => sc.setTimeResolution(3, "ns")).to.throw(sc.ReportError, /value not a power of ten/);
  });
});
