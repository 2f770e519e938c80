/* lookup.c - what a guest calls a name, who may ask for it, and who remembers the answers. */
#include "core/sys/lookup.h"

#include <string.h>

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* One plain decimal number, at most `high`; the place behind it, or NULL. */
static const char *number(const char *at, const char *end, uint32_t high, uint8_t *out) {
  uint32_t value = 0;
  const char *start = at;
  while (at < end && digit(*at) && at - start < 4) value = value * 10 + (uint32_t)(*at++ - '0');
  if (at == start || value > high || (*start == '0' && at - start > 1)) return NULL;
  *out = (uint8_t)value;
  return at;
}

static bool ipv4(const char *at, const char *end, uint8_t *ip) {
  for (uint32_t i = 0; i < 4; i++) {
    if (i && (at == end || *at++ != '.')) return false;
    if (!(at = number(at, end, 255, &ip[i]))) return false;
  }
  return at == end;
}

static int hex(char c) {
  if (digit(c)) return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Groups of 16 bits; "::" once; the last two may be written as IPv4. */
static bool ipv6(const char *at, const char *end, uint8_t *ip) {
  uint8_t bytes[16] = {0};
  uint32_t n = 0, gap = 17;
  if (end - at >= 2 && at[0] == ':' && at[1] == ':') {
    gap = 0;
    at += 2;
  }
  while (at < end && n < 16) {
    const char *start = at;
    uint32_t value = 0;
    while (at < end && hex(*at) >= 0 && at - start < 5) value = value << 4 | (uint32_t)hex(*at++);
    if (at < end && *at == '.') {
      if (n > 12 || !ipv4(start, end, bytes + n)) return false;
      n += 4;
      at = end;
      break;
    }
    if (at == start || at - start > 4) return false;
    bytes[n++] = (uint8_t)(value >> 8);
    bytes[n++] = (uint8_t)value;
    if (at == end) break;
    if (*at++ != ':' || at == end) return false;
    if (*at != ':') continue;
    if (gap <= 16) return false;
    gap = n;
    at++;
  }
  if (at != end || (gap > 16 ? n != 16 : n > 14)) return false;
  if (gap <= 16) {
    memmove(bytes + 16 - (n - gap), bytes + gap, n - gap);
    memset(bytes + gap, 0, 16 - n);
  }
  memcpy(ip, bytes, sizeof bytes);
  return true;
}

bool wn_lookup_literal(wn_str_t text, wn_addr_t *out) {
  static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const char *at = text.ptr, *end = text.ptr + text.len;
  *out = (wn_addr_t){.family = WN_IPV4};
  if (ipv4(at, end, out->ip)) return true;
  if (text.len > 2 && *at == '[' && end[-1] == ']') at++, end--;
  *out = (wn_addr_t){.family = WN_IPV6};
  if (!ipv6(at, end, out->ip)) return false;
  if (memcmp(out->ip, mapped, sizeof mapped) != 0) return true;
  wn_addr_t plain = {.family = WN_IPV4};
  memcpy(plain.ip, out->ip + 12, 4);
  *out = plain;
  return true;
}

/* In lower case and without its last dot. Labels of letters, digits, '-' and '_'; the last may not look like a
 * number, for that is an address to the C library, however it is spelled. */
static bool host_name(wn_str_t text, char *out) {
  size_t len = text.len, start = 0;
  if (len && text.ptr[len - 1] == '.') len--;
  if (len == 0 || len > 253) return false;
  for (size_t i = 0; i <= len; i++) {
    char c = i < len ? text.ptr[i] : '.';
    if (c == '.') {
      size_t size = i - start;
      if (size == 0 || size > 63 || out[start] == '-' || out[i - 1] == '-') return false;
      if (i < len) start = i + 1;
    } else if (c >= 'A' && c <= 'Z') {
      c = (char)(c | 0x20);
    } else if (!digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_') {
      return false;
    }
    out[i] = c;
  }
  out[len] = 0;
  bool digits = true;
  for (size_t i = start; i < len; i++) digits = digits && digit(out[i]);
  return !digits && !(out[start] == '0' && out[start + 1] == 'x');
}

static wn_lookup_slot_t *slot_of(wn_sys_t *sys, const wn_obj_t *obj) { return &sys->net.lookups[obj->u.lookup.slot]; }

static wn_err_t lookup_poll(wn_sys_t *sys, wn_obj_t *obj, uint16_t events, wn_pollfd_t *out) {
  (void)sys;
  if (!obj->u.lookup.literal.family) *out = (wn_pollfd_t){.fd = obj->fd, .events = events & WN_POLL_IN};
  return 0;
}

/* A thread that still waits for the resolver keeps the place, so that a guest has no more of them than that. */
static void lookup_close(wn_sys_t *sys, wn_obj_t *obj) {
  if (!obj->u.lookup.literal.family) slot_of(sys, obj)->held = false;
}

static const wn_obj_ops_t wn_ops_lookup = {.kind = "lookup", .close = lookup_close, .poll = lookup_poll};

static wn_lookup_slot_t *free_slot(wn_sys_t *sys) {
  for (uint32_t i = 0; i < WN_LOOKUPS_MAX; i++) {
    wn_lookup_slot_t *slot = &sys->net.lookups[i];
    const wn_addr_t *answers;
    uint32_t n;
    if (slot->held) continue;
    if (slot->pending && sys->os->lookup_get(sys->os, slot->pending, &answers, &n) == WN_EAGAIN) continue;
    sys->os->lookup_drop(sys->os, slot->pending);
    slot->pending = NULL;
    return slot;
  }
  return NULL;
}

wn_err_t wn_lookup_start(wn_sys_t *sys, wn_str_t name, uint32_t *fd) {
  char plain[WN_HOST_MAX];
  wn_addr_t literal;
  wn_obj_t *obj;
  wn_lookup_slot_t *slot = NULL;
  wn_err_t err = 0;
  if (!wn_lookup_literal(name, &literal)) {
    literal.family = WN_IP_ANY;
    if (!host_name(name, plain)) return WN_EINVAL;
    if ((err = wn_net_check_name(sys, plain))) return err;
    if (!(slot = free_slot(sys))) return WN_EBUSY;
  }
  if ((err = wn_wait_check(sys)) || (err = wn_obj_new(sys, WN_TYPE_UNKNOWN, &obj))) return err;
  if (sys->table.open >= sys->table.limit) err = WN_EMFILE;
  if (!err && slot) err = sys->os->lookup_start(sys->os, plain, &obj->fd, &slot->pending);
  if (!err) {
    obj->ops = &wn_ops_lookup;
    obj->u.lookup.literal = literal;
    if (slot) {
      obj->u.lookup.slot = (uint32_t)(slot - sys->net.lookups);
      slot->held = true;
      slot->pinned = false;
      memcpy(slot->name, plain, sizeof plain);
    }
    err = wn_table_insert(sys, obj, WN_RIGHT_FD_READ | WN_RIGHT_POLL_FD_READWRITE, 0, 3, fd);
  }
  if (err) wn_obj_release(sys, obj);
  return err;
}

wn_err_t wn_lookup_next(wn_sys_t *sys, uint32_t fd, wn_addr_t *out, bool *end) {
  wn_desc_t *d;
  wn_err_t err = wn_table_get(&sys->table, fd, 0, &d);
  if (err) return err;
  if (d->obj->ops != &wn_ops_lookup) return WN_EBADF;
  wn_obj_t *obj = d->obj;
  const wn_addr_t *answers = &obj->u.lookup.literal;
  uint32_t n = 1;
  if (!answers->family) {
    wn_lookup_slot_t *slot = slot_of(sys, obj);
    if ((err = wn_wait_check(sys)) || (err = sys->os->lookup_get(sys->os, slot->pending, &answers, &n))) return err;
    for (uint32_t i = 0; i < n && !slot->pinned; i++) wn_net_pin(sys, slot->name, &answers[i]);
    slot->pinned = true;
  }
  *end = obj->u.lookup.next >= n;
  if (!*end) *out = answers[obj->u.lookup.next++];
  return 0;
}
