/* strings.h - what args_* and environ_* share: terminated strings, and a table of pointers to them. */
#ifndef WN_CORE_P1_STRINGS_H
#define WN_CORE_P1_STRINGS_H

#include "core/p1/codec.h"

static inline wn_err_t wn_p1_strings_get(wn_guest_t *guest, const wn_strings_t *strings, uint32_t table,
                                         uint32_t buf) {
  if (WN_UNLIKELY(strings->size > UINT32_MAX)) return WN_EOVERFLOW;
  uint8_t *pointers, *bytes;
  wn_err_t err = wn_mem_array(&guest->mem, table, strings->count, 4, 4, &pointers);
  if (!err) err = wn_mem_bytes(&guest->mem, buf, (uint32_t)strings->size, &bytes);
  if (err) return err;
  if (strings->size) memcpy(bytes, strings->bytes, strings->size);
  for (uint32_t i = 0; i < strings->count; i++) wn_store32(pointers + (size_t)i * 4, buf + strings->starts[i]);
  return 0;
}

static inline wn_err_t wn_p1_strings_sizes(wn_guest_t *guest, const wn_strings_t *strings, uint32_t count,
                                           uint32_t size) {
  uint8_t *count_out, *size_out;
  wn_err_t err = wn_p1_out32(guest, count, &count_out);
  if (!err) err = wn_p1_out32(guest, size, &size_out);
  if (err) return err;
  if (WN_UNLIKELY(strings->size > UINT32_MAX)) return WN_EOVERFLOW;
  wn_store32(count_out, strings->count);
  wn_store32(size_out, (uint32_t)strings->size);
  return 0;
}

#endif
