/* sys.c - the world of one guest: built, granted to, cancelled, taken down. */
#include "core/sys/sys.h"

#include <string.h>

#include "core/sys/ops.h"
#include "core/sys/poll.h"
#include "core/sys/quota.h"
#include "core/sys/res.h"

static uint32_t between(uint32_t value, uint32_t unset, uint32_t most) {
  if (value == 0) return unset;
  return value < most ? value : most;
}

static wn_err_t set_up(wn_sys_t *sys) {
  wn_err_t err = wn_wait_init(sys);
  if (!err) err = wn_table_init(sys, sys->limits.fds);
  if (!err) err = wn_random_init(sys);
  if (err) return err;
  /* Here and not where they are used: no call of a guest allocates. */
  sys->poll_scratch = sys->os->alloc(sys->os, wn_poll_scratch_size(&sys->limits));
  sys->dirbuf.bytes = sys->os->alloc(sys->os, WN_DIRBUF_SIZE);
  return sys->poll_scratch && sys->dirbuf.bytes ? 0 : WN_ENOMEM;
}

wn_err_t wn_sys_new(const wn_sys_config_t *config, wn_sys_t **out) {
  const wn_sys_config_t none = {0};
  if (!config) config = &none;
  if (config->resolver > WN_RESOLVER_WALK) return WN_EINVAL;
  const wn_os_t *os = config->os ? config->os : wn_os_posix();
  wn_sys_t *sys = os->alloc(os, sizeof *sys);
  if (!sys) return WN_ENOMEM;
  sys->os = os;
  sys->wait.event = -1;
  sys->limits = config->limits;
  sys->limits.fds = between(sys->limits.fds, WN_FDS_DEFAULT, WN_FDS_MAX);
  sys->limits.iovs = between(sys->limits.iovs, WN_IOVS_MAX, WN_IOVS_MAX);
  sys->limits.subscriptions = between(sys->limits.subscriptions, WN_SUBSCRIPTIONS_DEFAULT, WN_SUBSCRIPTIONS_MAX);
  sys->resolver = config->resolver == WN_RESOLVER_WALK ? WN_RESOLVER_WALK : WN_RESOLVER_OPENAT2;
  sys->file_mode = (config->file_mode ? config->file_mode : 0644) & 0666;
  sys->dir_mode = (config->dir_mode ? config->dir_mode : 0755) & 0777;
  wn_err_t err = set_up(sys);
  if (err) {
    wn_sys_delete(sys);
    return err;
  }
  *out = sys;
  return 0;
}

void wn_sys_delete(wn_sys_t *sys) {
  if (!sys) return;
  const wn_os_t *os = sys->os;
  wn_res_deinit(sys);
  wn_table_deinit(sys);
  wn_net_deinit(sys);
  wn_random_deinit(sys);
  wn_wait_deinit(sys);
  wn_env_clear(sys, &sys->args);
  wn_env_clear(sys, &sys->env);
  for (size_t i = 0; i < sizeof sys->captures / sizeof *sys->captures; i++) os->free(os, sys->captures[i].bytes);
  os->free(os, sys->dirbuf.bytes);
  os->free(os, sys->poll_scratch);
  os->free(os, sys);
}

wn_err_t wn_sys_set_args(wn_sys_t *sys, const wn_str_t *args, size_t count) {
  return wn_env_set(sys, &sys->args, args, count);
}

wn_err_t wn_sys_set_env(wn_sys_t *sys, const wn_str_t *vars, size_t count) {
  return wn_env_set(sys, &sys->env, vars, count);
}

/* Give obj a number from 3 up and a name; on failure nothing is left of it. */
static wn_err_t preopen(wn_sys_t *sys, wn_obj_t *obj, wn_str_t guest, uint64_t rights, uint64_t inheriting,
                        uint32_t *fd) {
  uint32_t got;
  wn_err_t err = wn_table_insert(sys, obj, rights, inheriting, 3, &got);
  if (err) {
    wn_obj_release(sys, obj);
    return err;
  }
  if (guest.ptr && (err = wn_table_set_preopen(sys, got, guest))) {
    wn_table_close(sys, got);
    return err;
  }
  *fd = got;
  return 0;
}

wn_err_t wn_sys_preopen_dir(wn_sys_t *sys, const char *host, wn_str_t guest, const wn_grant_t *grant, uint32_t *fd) {
  wn_obj_t *obj = NULL;
  wn_share_t *share = NULL;
  int dir = -1;
  wn_err_t err = wn_share_new(sys, grant, &share);
  if (!err) err = wn_obj_new(sys, WN_TYPE_DIRECTORY, &obj);
  if (!err) err = sys->os->open(sys->os, host, WN_O_READ | WN_O_DIRECTORY, &dir);
  if (!err) err = wn_dir_adopt(sys, obj, dir, share);
  if (!err) {
    uint64_t denied = share->grant.flags & WN_GRANT_READ_ONLY ? WN_RIGHTS_WRITING : 0;
    if (!guest.ptr) guest.ptr = ""; /* a preopen has a name, be it an empty one */
    err = preopen(sys, obj, guest, WN_RIGHTS_DIR & ~denied, (WN_RIGHTS_DIR | WN_RIGHTS_FILE) & ~denied, fd);
  } else if (obj) {
    wn_obj_release(sys, obj);
  }
  wn_share_release(sys, share);
  return err;
}

wn_err_t wn_sys_preopen_socket(wn_sys_t *sys, int host_fd, bool listener, uint32_t *fd) {
  wn_obj_t *obj;
  uint8_t type;
  wn_err_t err = sys->os->socket_type(sys->os, host_fd, &type);
  if (err) return err;
  if ((err = wn_obj_new(sys, type, &obj))) return err;
  int copy;
  if ((err = sys->os->dup(sys->os, host_fd, &copy))) {
    wn_obj_release(sys, obj);
    return err;
  }
  obj->fd = copy;
  if (listener && (err = sys->os->address(sys->os, copy, false, &obj->u.inet.local))) {
    obj->u.inet.local = (wn_addr_t){0}; /* of no network: a unix socket */
    if (err != WN_EAFNOSUPPORT) {
      wn_obj_release(sys, obj);
      return err;
    }
  }
  obj->ops = listener ? &wn_ops_listener : &wn_ops_socket;
  obj->writable = !listener;
  return preopen(sys, obj, (wn_str_t){0}, listener ? WN_RIGHTS_LISTENER : WN_RIGHTS_SOCKET,
                 listener ? WN_RIGHTS_SOCKET : 0, fd);
}

wn_err_t wn_sys_set_clock(wn_sys_t *sys, uint32_t id, uint32_t mode, int64_t value_ns, uint64_t step_ns) {
  if (id > WN_CLOCK_THREAD_CPU || mode > WN_CLOCK_FIXED) return WN_EINVAL;
  if (mode == WN_CLOCK_FIXED && value_ns < 0) return WN_EINVAL; /* the guest's clocks have no numbers below 0 */
  sys->clocks[id] = (wn_clock_t){.mode = mode, .value = value_ns, .step = step_ns};
  return 0;
}

void wn_sys_set_deadline(wn_sys_t *sys, uint64_t monotonic_ns) { sys->wait.deadline = monotonic_ns; }

void wn_sys_cancel(wn_sys_t *sys) {
  /* The flag first: whoever the event wakes must find it. */
  __atomic_store_n(&sys->wait.cancelled, 1, __ATOMIC_SEQ_CST);
  sys->os->event_signal(sys->os, sys->wait.event);
}

void wn_sys_set_interrupt(wn_sys_t *sys, wn_interrupt_fn_t fn, void *ctx) {
  sys->wait.interrupt = fn;
  sys->wait.interrupt_ctx = ctx;
}

void wn_sys_get_usage(const wn_sys_t *sys, wn_usage_t *usage) {
  *usage = (wn_usage_t){
      .output_bytes = sys->output, .cpu_ns = sys->cpu_used, .fds = sys->table.open, .resolver = sys->resolver};
}
