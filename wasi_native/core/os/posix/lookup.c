/* lookup.c - names to addresses, by a thread for each: the C library's resolver cannot be interrupted.
 *
 * The guest's thread and the resolver's each hold the lookup; whoever lets go last frees it. So a guest that is ended
 * leaves at once, and the thread follows when the resolver gives up. It shares the process's descriptors, for the
 * resolver's own modules may keep some between calls. */
#include "core/os/posix/posix.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define STACK_SIZE (512u << 10) /* modules of the resolver have large buffers; touched pages alone count */

struct wn_lookup {
  const wn_os_t *os;
  uint32_t holders; /* atomic */
  uint32_t done;    /* atomic: what is below is complete */
  int event;
  wn_err_t err;
  uint32_t count;
  wn_addr_t answers[WN_LOOKUP_ANSWERS];
  char name[];
};

static void let_go(wn_lookup_t *l) {
  if (__atomic_sub_fetch(&l->holders, 1, __ATOMIC_ACQ_REL)) return;
  close(l->event);
  l->os->free(l->os, l);
}

static wn_err_t reason(int code, int host) {
  switch (code) {
    case 0:
      return 0;
    case EAI_AGAIN:
      return WN_EBUSY;
    case EAI_FAIL:
      return WN_ENOTRECOVERABLE;
    case EAI_MEMORY:
      return WN_ENOMEM;
    case EAI_SYSTEM:
      return wn_posix_err(host);
    default:
      return WN_ENOENT;
  }
}

/* False: no address that a guest may see. Mapped ones are IPv4 in other clothes. */
static bool answer(const struct addrinfo *info, wn_addr_t *out) {
  *out = (wn_addr_t){0};
  if (info->ai_family == AF_INET && info->ai_addrlen >= sizeof(struct sockaddr_in)) {
    struct sockaddr_in v4;
    memcpy(&v4, info->ai_addr, sizeof v4);
    out->family = WN_IPV4;
    memcpy(out->ip, &v4.sin_addr, 4);
    return true;
  }
  if (info->ai_family != AF_INET6 || info->ai_addrlen < sizeof(struct sockaddr_in6)) return false;
  struct sockaddr_in6 v6;
  memcpy(&v6, info->ai_addr, sizeof v6);
  const uint8_t *ip = v6.sin6_addr.s6_addr;
  bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
  out->family = mapped ? WN_IPV4 : WN_IPV6;
  memcpy(out->ip, mapped ? ip + 12 : ip, mapped ? 4 : 16);
  return true;
}

static void *resolve(void *arg) {
  wn_lookup_t *l = arg;
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  int code = getaddrinfo(l->name, NULL, &hints, &found);
  l->err = reason(code, errno);
  for (struct addrinfo *at = code ? NULL : found; at && l->count < WN_LOOKUP_ANSWERS; at = at->ai_next)
    l->count += answer(at, &l->answers[l->count]);
  if (!code) freeaddrinfo(found);
  if (!l->err && !l->count) l->err = WN_ENOENT;
  __atomic_store_n(&l->done, 1, __ATOMIC_RELEASE);
  l->os->event_signal(l->os, l->event);
  let_go(l);
  return NULL;
}

static int start(wn_lookup_t *l) {
  pthread_attr_t attr;
  pthread_t id;
  int r = pthread_attr_init(&attr);
  if (r) return r;
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attr, STACK_SIZE);
  sigset_t all, before;
  sigfillset(&all);
  r = pthread_sigmask(SIG_SETMASK, &all, &before); /* inherited: no signal of the host ever runs on it */
  if (r == 0) {
    r = pthread_create(&id, &attr, resolve, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  pthread_attr_destroy(&attr);
  return r;
}

wn_err_t wn_posix_lookup_start(const wn_os_t *os, const char *name, int *fd, wn_lookup_t **out) {
  (void)os;
  const wn_os_t *real = wn_os_posix(); /* the thread may outlive the door that it came through */
  size_t len = strlen(name) + 1;
  wn_lookup_t *l = real->alloc(real, sizeof *l + len);
  if (!l) return WN_ENOMEM;
  l->os = real;
  l->holders = 2;
  memcpy(l->name, name, len);
  wn_err_t err = wn_posix_event_open(real, &l->event);
  if (err) {
    real->free(real, l);
    return err;
  }
  int r = start(l);
  if (r) {
    close(l->event);
    real->free(real, l);
    return wn_posix_err(r);
  }
  *fd = l->event;
  *out = l;
  return 0;
}

wn_err_t wn_posix_lookup_get(const wn_os_t *os, const wn_lookup_t *lookup, const wn_addr_t **answers, uint32_t *n) {
  (void)os;
  if (!__atomic_load_n(&lookup->done, __ATOMIC_ACQUIRE)) return WN_EAGAIN;
  if (lookup->err) return lookup->err;
  *answers = lookup->answers;
  *n = lookup->count;
  return 0;
}

void wn_posix_lookup_drop(const wn_os_t *os, wn_lookup_t *lookup) {
  (void)os;
  if (lookup) let_go(lookup);
}
