// A dot-product engine in SystemC: the example of a user's own accelerator. 16 columns, each with its own weights, share
// one stream of activations; every clock takes one word (four int8 values) and does 64 multiply-accumulates.
//
// Stream protocol (docs/systemc.md, "dot-product/1"), 32-bit words, int8 values packed four to a word, lowest byte first:
//   in   rows, columns, words per row; the weights, column after column; the activations, row after row
//   out  for each row, for each column: the dot product, int32
#ifndef DOT_PRODUCT_H
#define DOT_PRODUCT_H
#include <cstdint>
#include <systemc>

struct DotProduct : sc_core::sc_module {
  // What the driver has to know; this is their only home.
  static const int COLUMNS = 16;         ///< Columns of weights that fit.
  static const int DEPTH = 4096;         ///< Values in a column, at most.
  static const int MACS_PER_CLOCK = 64;

  sc_core::sc_in<bool> clk, rst;
  sc_core::sc_fifo_in<uint32_t> in;
  sc_core::sc_fifo_out<uint32_t> out;

  SC_CTOR(DotProduct) : clk("clk"), rst("rst"), in("in"), out("out") {
    SC_CTHREAD(run, clk.pos());
    reset_signal_is(rst, true);
  }

 private:
  uint32_t weights[COLUMNS][DEPTH / 4];

  static int32_t dot4(uint32_t a, uint32_t b) {
    int32_t sum = 0;
    for (int i = 0; i < 32; i += 8) sum += int32_t(int8_t(a >> i)) * int32_t(int8_t(b >> i));
    return sum;
  }

  uint32_t next() {
    const uint32_t word = in.read();
    wait();
    return word;
  }

  void run() {
    wait();
    for (;;) {
      const uint32_t rows = next(), columns = next(), words = next();
      for (uint32_t c = 0; c < columns; c++)
        for (uint32_t k = 0; k < words; k++) weights[c][k] = next();
      for (uint32_t r = 0; r < rows; r++) {
        int32_t sum[COLUMNS] = {};
        for (uint32_t k = 0; k < words; k++) {
          const uint32_t a = next();
          for (uint32_t c = 0; c < columns; c++) sum[c] += dot4(a, weights[c][k]);
        }
        for (uint32_t c = 0; c < columns; c++) {
          out.write(uint32_t(sum[c]));
          wait();
        }
      }
    }
  }
};
#endif
