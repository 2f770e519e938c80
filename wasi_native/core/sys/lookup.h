/* lookup.h - names to addresses, for names that a rule allows. A lookup is a descriptor, readable when it is done. */
#ifndef WN_CORE_LOOKUP_H
#define WN_CORE_LOOKUP_H

#include "core/sys/sys.h"

/* INVAL: neither a host name in ASCII nor an address in its plain spelling. ACCES: no rule allows this name
 * (addresses ask nobody, so they are always answered). BUSY: WN_LOOKUPS_MAX are under way. MFILE, NOMEM. */
wn_err_t wn_lookup_start(wn_sys_t *sys, wn_str_t name, uint32_t *fd);

/* The next answer, or *end. AGAIN: not there yet; NOENT, BUSY, NOTRECOVERABLE: os.h. */
wn_err_t wn_lookup_next(wn_sys_t *sys, uint32_t fd, wn_addr_t *out, bool *end);

/* The one spelling of an IPv4 address, or any of an IPv6 address without a zone, also in brackets; mapped ones are
 * IPv4. */
bool wn_lookup_literal(wn_str_t text, wn_addr_t *out);

#endif
