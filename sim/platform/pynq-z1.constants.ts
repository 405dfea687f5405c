/**
 * The constants of the PYNQ-Z1 platform (XC7Z020-1, two Cortex-A9, one 16-bit DDR3): the only place where they stand.
 * Those whose evidence is `measured` are fitted by `tandem calibrate` from published measurements (docs/platform.md has the
 * residuals); ids such as AX184 are rows of that collection.
 */
import type { Constant, Constants, Evidence } from "./constant.js";

const constant = (value: number, unit: string, evidence: Evidence, source: string): Constant => ({
  value,
  unit,
  evidence,
  source,
});

export const pynqZ1Constants = {
  // Programmable logic, ports and memory.
  "pl.clock": constant(
    100,
    "MHz",
    "estimate",
    "design choice; a published array of this size misses 200 MHz by 2.9 ns",
  ),
  "ddr.peak": constant(
    2100,
    "MB/s",
    "vendor",
    "16 bit x 2 x 525 MHz (PYNQ-Z1 reference manual), all directions together",
  ),
  "ddr.read": constant(0.49092, "ns/B", "measured", "UG1 (UG585): 97 % of the peak, 4 HP masters, sequential reads"),
  "ddr.write": constant(0.5291, "ns/B", "measured", "UG1 (UG585): 90 % of the peak, sequential writes"),
  "ddr.turnaround": constant(
    4.779,
    "ns",
    "measured",
    "UG1 (UG585): 87 % of the peak, reads and writes in turn, 128 B each",
  ),
  "hp.width": constant(8, "B", "vendor", "UG585: the HP ports are 64 bits wide, read and write channel each"),
  "hp.ports": constant(4, "ports", "vendor", "UG585"),
  "hp.readLatency": constant(
    30,
    "clocks",
    "estimate",
    "address to first data at 100 MHz; the write round trip is 40 (SB1)",
  ),
  "hp.writeLatency": constant(40, "clocks", "measured", "SB1: single-beat write, HP0, 64 bit, 100 MHz"),

  // AXI DMA 7.1 in simple mode (PG021).
  "dma.burst": constant(16, "beats", "vendor", "the HP ports are AXI3: 16 beats at most (UG585)"),
  "dma.maxLength": constant(2 ** 26 - 1, "B", "vendor", "PG021: the length register has 26 bits"),
  "dma.outstanding": constant(4, "bursts", "estimate", "bursts in flight per channel, and in its FIFO"),
  "dma.sendGap": constant(0.038492, "clocks/burst", "measured", "PG1: 399.04 of 400 MB/s, 32 bit, 100 MHz"),
  "dma.receiveGap": constant(5.4334, "clocks/burst", "measured", "PG2: 298.59 of 400 MB/s, 32 bit, 100 MHz"),
  "dma.registers": constant(2, "writes", "vendor", "PG021: address, then length, start a transfer in simple mode"),

  // The driver in C, user space, /dev/mem.
  "driver.registerWrite": constant(
    0.25,
    "us",
    "measured",
    "RG2: between two relaxed kernel writes (low-medium confidence)",
  ),
  "driver.registerRead": constant(0.13, "us", "measured", "RG2: what a read adds (low-medium confidence)"),
  "driver.transfer": constant(
    2.694,
    "us",
    "measured",
    "AX rows of cpp_MAN: start and polled wait of a transfer, msync included",
  ),
  "driver.processStart": constant(14.63, "ms", "measured", "AX rows: start of the process; in no prediction"),
  "driver.storeUncached": constant(
    61.09,
    "ns/word",
    "measured",
    "AX rows: copy of a 32-bit word into an uncached buffer",
  ),
  "driver.loadUncached": constant(
    151.1,
    "ns/word",
    "measured",
    "AX rows: 32-bit word from an uncached buffer, accumulated",
  ),
  "python.transfer": constant(209, "us", "measured", "DS3: a transfer through PYNQ's Python"),
  "python.registerWrite": constant(31.37, "us", "measured", "MM1, MM2: a register write through PYNQ's Python"),

  // One Cortex-A9 at 650 MHz; int8 operators as a NEON library would run them.
  "cpu.clock": constant(650, "MHz", "vendor", "PYNQ-Z1 reference manual"),
  "cpu.int8Mac": constant(
    0.979,
    "ns/MAC",
    "measured",
    "FF1, FF2 alone (one source, medium): ONNX Runtime int8, two threads",
  ),
  "cpu.network": constant(1.975, "ms", "measured", "FF1, FF2: what does not grow with MACs; in no prediction"),
  "cpu.depthwiseMac": constant(
    2.5,
    "ns/MAC",
    "estimate",
    "no reuse of loaded weights over channels: 2.5 x cpu.int8Mac",
  ),
  "cpu.fullyConnectedMac": constant(1.6, "ns/MAC", "estimate", "each weight is used once; TR4's matrix-vector rate"),
  "cpu.add": constant(8, "ns/element", "estimate", "two rescalings and one more of the sum, 5 cycles"),
  "cpu.rescale": constant(
    4,
    "ns/element",
    "estimate",
    "QUANTIZE, DEQUANTIZE, CONCATENATION with rescaling: 2.6 cycles",
  ),
  "cpu.poolTap": constant(1, "ns/tap", "estimate", "vector add or maximum of bytes, bound by loads"),
  "cpu.softmax": constant(150, "ns/element", "estimate", "fixed-point exponential and a division, 100 cycles"),
  "cpu.operator": constant(20, "us", "estimate", "dispatch of an operator in a graph runtime"),
  "cpu.copy": constant(2.951, "ns/B", "measured", "UD1, XD3, GE1, GE5: memcpy, 250 to 390 MB/s"),
  "cpu.copyUncached": constant(14.75, "ns/B", "measured", "UD2, XD2: memcpy out of uncached memory"),
  "cpu.im2col": constant(3.9, "ns/B", "estimate", "a copy in short rows with address arithmetic: 4/3 of cpu.copy"),
  "cpu.cacheClean": constant(25, "ns/line", "estimate", "32-byte line through L1 and PL310 by address, 16 cycles"),
  "cpu.cacheInvalidate": constant(20, "ns/line", "estimate", "32-byte line, no write-back, 13 cycles"),
  "cpu.cacheSize": constant(512 * 1024, "B", "vendor", "UG585: L2; cleaning more than that is cleaning all of it"),
  "cpu.twoThreads": constant(1.9, "x", "estimate", "speed-up of work bound by arithmetic on two cores"),
  "cpu.twoThreadsMemory": constant(1.3, "x", "estimate", "speed-up of copies on two cores: L2 and DDR are shared"),

  // Power and energy.
  "pl.lutPerMac": constant(
    70,
    "LUT per MAC/clock",
    "estimate",
    "18,000 LUT for 256 MAC/clock in DSP48E1 pairs; a published vector-MAC design without pairs takes 186",
  ),
  "power.board": constant(0.45, "W", "estimate", "converters, USB serial, Ethernet PHY, oscillators; not the chip"),
  "power.psIdle": constant(0.5, "W", "estimate", "PS static, PLLs, interconnect, DDR controller, cores waiting"),
  "power.psCore": constant(
    0.2,
    "W",
    "estimate",
    "a busy A9 at 650 MHz, 0.3 mW/MHz; nobody has published a measurement",
  ),
  "power.plStatic": constant(0.13, "W", "estimate", "typical quiescent currents of the XC7Z020 at 25 C, all PL rails"),
  "power.ddrIdle": constant(0.1, "W", "estimate", "one DDR3 x16 device, active standby and refresh"),
  "power.clockLut": constant(
    0.2266,
    "uW/MHz/LUT",
    "measured",
    "ZY1i to ZY3i: idle power over PE clock, 70 % of the LUTs assumed",
  ),
  "energy.ddr": constant(0.4, "nJ/B", "estimate", "50 pJ/bit: activate, burst and I/O of DDR3 at 1.5 V"),
  "energy.dsp": constant(10, "pJ/op", "estimate", "DSP48E1 multiply-add at 1.0 V, half of its operand bits toggling"),
  "energy.bram": constant(12, "pJ/access", "estimate", "one 36-bit port access of a block RAM at 1.0 V"),
  "energy.logic": constant(
    0.02,
    "pJ/LUT/clock",
    "estimate",
    "toggling of LUTs and wires in a busy process, above the clock tree",
  ),
} as const satisfies Constants;

export type ConstantName = keyof typeof pynqZ1Constants;

/** Of the XC7Z020 (DS190). */
export const xc7z020 = { lut: 53_200, ff: 106_400, bram36: 140, dsp: 220 } as const;
