/* compute.c - three loops that only compute: integers, memory, floats. Built for wasm and, as the measure, natively.
 * Each returns a checksum, so that engines are compared on equal work. */
#include <stdint.h>

#define EXPORT __attribute__((visibility("default"), used))

#define SIEVE 200000u
static uint8_t composite[SIEVE];

/* Integers and bytes: primes below SIEVE. */
EXPORT uint32_t bench_sieve(uint32_t turns) {
  uint32_t found = 0;
  while (turns--) {
    found = 0;
    for (uint32_t i = 0; i < SIEVE; i++) composite[i] = 0;
    for (uint32_t i = 2; i < SIEVE; i++) {
      if (composite[i]) continue;
      found++;
      for (uint32_t k = 2 * i; k < SIEVE; k += i) composite[k] = 1;
    }
  }
  return found;
}

#define ORDER 64u
static double left[ORDER][ORDER], right[ORDER][ORDER], product[ORDER][ORDER];

/* Floats: a product of matrices. */
EXPORT uint32_t bench_matrix(uint32_t turns) {
  for (uint32_t i = 0; i < ORDER; i++) {
    for (uint32_t k = 0; k < ORDER; k++) {
      left[i][k] = (double)(i + k) / 3.0;
      right[i][k] = (double)(i * k) / 7.0;
    }
  }
  double sum = 0;
  while (turns--) {
    for (uint32_t i = 0; i < ORDER; i++) {
      for (uint32_t k = 0; k < ORDER; k++) {
        double cell = 0;
        for (uint32_t n = 0; n < ORDER; n++) cell += left[i][n] * right[n][k];
        product[i][k] = cell;
      }
    }
    sum += product[ORDER / 2][ORDER / 3];
    left[0][0] += 1;
  }
  return (uint32_t)(uint64_t)sum;
}

/* Calls: a recursion. */
static __attribute__((noinline)) uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
EXPORT uint32_t bench_fib(uint32_t turns) {
  uint32_t sum = 0;
  while (turns--) sum += fib(20 + (sum & 1));
  return sum;
}
