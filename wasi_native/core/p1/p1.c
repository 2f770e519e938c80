/* p1.c - the table of rows of WASI 0.1. The handlers are in the file named by the first word of the function. */
#define WN_P1_TABLE
#include "core/p1/rows.gen.h"

#include "core/p1/p1.h"

const wn_row_t *wn_p1_rows(size_t *count) {
  *count = sizeof wn_p1_table / sizeof wn_p1_table[0];
  return wn_p1_table;
}
