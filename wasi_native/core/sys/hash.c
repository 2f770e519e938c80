/* hash.c - a number for what a file is now, from which nothing of the file can be read back. */
#include <string.h>

#include "core/sys/sys.h"

static uint64_t rotate(uint64_t x, unsigned by) { return x << by | x >> (64 - by); }

static void rounds(uint64_t v[4], unsigned count) {
  while (count--) {
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
  }
}

static uint64_t word(const uint8_t *p, size_t len) {
  uint64_t value = 0;
  for (size_t i = 0; i < len; i++) value |= (uint64_t)p[i] << 8 * i;
  return value;
}

/* SipHash-2-4 with 128 bits, by Aumasson and Bernstein. */
void wn_hash_bytes(const uint64_t key[2], const void *bytes, size_t len, uint64_t out[2]) {
  const uint8_t *p = bytes;
  uint64_t v[4] = {0x736f6d6570736575u ^ key[0], 0x646f72616e646f6du ^ key[1] ^ 0xee, 0x6c7967656e657261u ^ key[0],
                   0x7465646279746573u ^ key[1]};
  uint64_t last = (uint64_t)len << 56;
  for (;; p += 8, len -= 8) {
    uint64_t m = len < 8 ? last | word(p, len) : word(p, 8);
    v[3] ^= m;
    rounds(v, 2);
    v[0] ^= m;
    if (len < 8) break;
  }
  v[2] ^= 0xee;
  rounds(v, 4);
  out[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
  v[1] ^= 0xdd;
  rounds(v, 4);
  out[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* What names the object and what changes with it: not the time of access, which a look changes too. The key is the
 * guest's own, drawn when it is first needed: two guests see two numbers for one file. */
wn_err_t wn_hash_stat(wn_sys_t *sys, const wn_stat_t *st, uint64_t out[2]) {
  if (!sys->hash_keyed) {
    wn_err_t err = wn_random_secret(sys, sys->hash_key, sizeof sys->hash_key);
    if (err) return err;
    sys->hash_keyed = true;
  }
  const uint64_t seen[] = {st->dev, st->ino, st->size, (uint64_t)st->mtim, (uint64_t)st->ctim, st->type};
  wn_hash_bytes(sys->hash_key, seen, sizeof seen, out);
  return 0;
}
