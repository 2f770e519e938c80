/* rows.gen.h - made by abi/generate.py from abi/p1.rows. Do not edit: change the rows.
 *
 * Every file here sees the handlers; p1.c defines WN_P1_TABLE too. */
/* clang-format off */
#ifndef WN_CORE_P1_ROWS_GEN_H
#define WN_CORE_P1_ROWS_GEN_H

#include "core/guest/guest.h"

wn_err_t wn_p1_args_get(wn_guest_t *guest, uint32_t argv, uint32_t argv_buf);
wn_err_t wn_p1_args_sizes_get(wn_guest_t *guest, uint32_t argc, uint32_t argv_buf_size);
wn_err_t wn_p1_environ_get(wn_guest_t *guest, uint32_t environ, uint32_t environ_buf);
wn_err_t wn_p1_environ_sizes_get(wn_guest_t *guest, uint32_t environc, uint32_t environ_buf_size);
wn_err_t wn_p1_clock_res_get(wn_guest_t *guest, uint32_t id, uint32_t resolution);
wn_err_t wn_p1_clock_time_get(wn_guest_t *guest, uint32_t id, uint64_t precision, uint32_t time);
wn_err_t wn_p1_fd_advise(wn_guest_t *guest, uint32_t fd, uint64_t offset, uint64_t len, uint32_t advice);
wn_err_t wn_p1_fd_allocate(wn_guest_t *guest, uint32_t fd, uint64_t offset, uint64_t len);
wn_err_t wn_p1_fd_close(wn_guest_t *guest, uint32_t fd);
wn_err_t wn_p1_fd_datasync(wn_guest_t *guest, uint32_t fd);
wn_err_t wn_p1_fd_fdstat_get(wn_guest_t *guest, uint32_t fd, uint32_t stat);
wn_err_t wn_p1_fd_fdstat_set_flags(wn_guest_t *guest, uint32_t fd, uint32_t flags);
wn_err_t wn_p1_fd_fdstat_set_rights(wn_guest_t *guest, uint32_t fd, uint64_t fs_rights_base,
                                    uint64_t fs_rights_inheriting);
wn_err_t wn_p1_fd_filestat_get(wn_guest_t *guest, uint32_t fd, uint32_t stat);
wn_err_t wn_p1_fd_filestat_set_size(wn_guest_t *guest, uint32_t fd, uint64_t size);
wn_err_t wn_p1_fd_filestat_set_times(wn_guest_t *guest, uint32_t fd, uint64_t atim, uint64_t mtim,
                                     uint32_t fst_flags);
wn_err_t wn_p1_fd_pread(wn_guest_t *guest, uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint64_t offset,
                        uint32_t nread);
wn_err_t wn_p1_fd_prestat_get(wn_guest_t *guest, uint32_t fd, uint32_t prestat);
wn_err_t wn_p1_fd_prestat_dir_name(wn_guest_t *guest, uint32_t fd, uint32_t path, uint32_t path_len);
wn_err_t wn_p1_fd_pwrite(wn_guest_t *guest, uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint64_t offset,
                         uint32_t nwritten);
wn_err_t wn_p1_fd_read(wn_guest_t *guest, uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t nread);
wn_err_t wn_p1_fd_readdir(wn_guest_t *guest, uint32_t fd, uint32_t buf, uint32_t buf_len, uint64_t cookie,
                          uint32_t bufused);
wn_err_t wn_p1_fd_renumber(wn_guest_t *guest, uint32_t fd, uint32_t to);
wn_err_t wn_p1_fd_seek(wn_guest_t *guest, uint32_t fd, int64_t offset, uint32_t whence, uint32_t newoffset);
wn_err_t wn_p1_fd_sync(wn_guest_t *guest, uint32_t fd);
wn_err_t wn_p1_fd_tell(wn_guest_t *guest, uint32_t fd, uint32_t offset);
wn_err_t wn_p1_fd_write(wn_guest_t *guest, uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t nwritten);
wn_err_t wn_p1_path_create_directory(wn_guest_t *guest, uint32_t fd, uint32_t path, uint32_t path_len);
wn_err_t wn_p1_path_filestat_get(wn_guest_t *guest, uint32_t fd, uint32_t flags, uint32_t path, uint32_t path_len,
                                 uint32_t stat);
wn_err_t wn_p1_path_filestat_set_times(wn_guest_t *guest, uint32_t fd, uint32_t flags, uint32_t path,
                                       uint32_t path_len, uint64_t atim, uint64_t mtim, uint32_t fst_flags);
wn_err_t wn_p1_path_link(wn_guest_t *guest, uint32_t old_fd, uint32_t old_flags, uint32_t old_path,
                         uint32_t old_path_len, uint32_t new_fd, uint32_t new_path, uint32_t new_path_len);
wn_err_t wn_p1_path_open(wn_guest_t *guest, uint32_t fd, uint32_t dirflags, uint32_t path, uint32_t path_len,
                         uint32_t oflags, uint64_t fs_rights_base, uint64_t fs_rights_inheriting, uint32_t fdflags,
                         uint32_t opened_fd);
wn_err_t wn_p1_path_readlink(wn_guest_t *guest, uint32_t fd, uint32_t path, uint32_t path_len, uint32_t buf,
                             uint32_t buf_len, uint32_t bufused);
wn_err_t wn_p1_path_remove_directory(wn_guest_t *guest, uint32_t fd, uint32_t path, uint32_t path_len);
wn_err_t wn_p1_path_rename(wn_guest_t *guest, uint32_t fd, uint32_t old_path, uint32_t old_path_len, uint32_t new_fd,
                           uint32_t new_path, uint32_t new_path_len);
wn_err_t wn_p1_path_symlink(wn_guest_t *guest, uint32_t old_path, uint32_t old_path_len, uint32_t fd,
                            uint32_t new_path, uint32_t new_path_len);
wn_err_t wn_p1_path_unlink_file(wn_guest_t *guest, uint32_t fd, uint32_t path, uint32_t path_len);
wn_err_t wn_p1_poll_oneoff(wn_guest_t *guest, uint32_t in, uint32_t out, uint32_t nsubscriptions, uint32_t nevents);
wn_err_t wn_p1_proc_exit(wn_guest_t *guest, uint32_t rval);
wn_err_t wn_p1_proc_raise(wn_guest_t *guest, uint32_t sig);
wn_err_t wn_p1_sched_yield(wn_guest_t *guest);
wn_err_t wn_p1_random_get(wn_guest_t *guest, uint32_t buf, uint32_t buf_len);
wn_err_t wn_p1_sock_accept(wn_guest_t *guest, uint32_t fd, uint32_t flags, uint32_t opened_fd);
wn_err_t wn_p1_sock_recv(wn_guest_t *guest, uint32_t fd, uint32_t ri_data, uint32_t ri_data_len, uint32_t ri_flags,
                         uint32_t ro_datalen, uint32_t ro_flags);
wn_err_t wn_p1_sock_send(wn_guest_t *guest, uint32_t fd, uint32_t si_data, uint32_t si_data_len, uint32_t si_flags,
                         uint32_t so_datalen);
wn_err_t wn_p1_sock_shutdown(wn_guest_t *guest, uint32_t fd, uint32_t how);
wn_err_t wn_p1_unstable_fd_filestat_get(wn_guest_t *guest, uint32_t fd, uint32_t stat);
wn_err_t wn_p1_unstable_fd_seek(wn_guest_t *guest, uint32_t fd, int64_t offset, uint32_t whence, uint32_t newoffset);
wn_err_t wn_p1_unstable_path_filestat_get(wn_guest_t *guest, uint32_t fd, uint32_t flags, uint32_t path,
                                          uint32_t path_len, uint32_t stat);
wn_err_t wn_p1_unstable_poll_oneoff(wn_guest_t *guest, uint32_t in, uint32_t out, uint32_t nsubscriptions,
                                    uint32_t nevents);

#ifdef WN_P1_TABLE

static wn_err_t call_args_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_args_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_args_sizes_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_args_sizes_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_environ_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_environ_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_environ_sizes_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_environ_sizes_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_clock_res_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_clock_res_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_clock_time_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_clock_time_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U64(guest, slots, 1),
                                      WN_SLOT_U32(guest, slots, 2));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_advise(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_advise(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U64(guest, slots, 1),
                                 WN_SLOT_U64(guest, slots, 2), WN_SLOT_U32(guest, slots, 3));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_allocate(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_allocate(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U64(guest, slots, 1),
                                   WN_SLOT_U64(guest, slots, 2));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_close(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_close(guest, WN_SLOT_U32(guest, slots, 0));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_datasync(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_datasync(guest, WN_SLOT_U32(guest, slots, 0));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_fdstat_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_fdstat_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_fdstat_set_flags(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_fdstat_set_flags(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_fdstat_set_rights(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_fdstat_set_rights(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U64(guest, slots, 1),
                                            WN_SLOT_U64(guest, slots, 2));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_filestat_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_filestat_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_filestat_set_size(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_filestat_set_size(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U64(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_filestat_set_times(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_filestat_set_times(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U64(guest, slots, 1),
                                             WN_SLOT_U64(guest, slots, 2), WN_SLOT_U32(guest, slots, 3));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_pread(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_pread(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                WN_SLOT_U32(guest, slots, 2), WN_SLOT_U64(guest, slots, 3),
                                WN_SLOT_U32(guest, slots, 4));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_prestat_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_prestat_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_prestat_dir_name(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_prestat_dir_name(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                           WN_SLOT_U32(guest, slots, 2));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_pwrite(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_pwrite(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                 WN_SLOT_U32(guest, slots, 2), WN_SLOT_U64(guest, slots, 3),
                                 WN_SLOT_U32(guest, slots, 4));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_read(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_read(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                               WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_readdir(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_readdir(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                  WN_SLOT_U32(guest, slots, 2), WN_SLOT_U64(guest, slots, 3),
                                  WN_SLOT_U32(guest, slots, 4));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_renumber(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_renumber(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_seek(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_seek(guest, WN_SLOT_U32(guest, slots, 0), (int64_t)WN_SLOT_U64(guest, slots, 1),
                               WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_sync(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_sync(guest, WN_SLOT_U32(guest, slots, 0));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_tell(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_tell(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_fd_write(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_fd_write(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_path_create_directory(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_path_create_directory(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                             WN_SLOT_U32(guest, slots, 2));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_path_filestat_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_path_filestat_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                         WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3),
                                         WN_SLOT_U32(guest, slots, 4));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_path_filestat_set_times(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_path_filestat_set_times(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                               WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3),
                                               WN_SLOT_U64(guest, slots, 4), WN_SLOT_U64(guest, slots, 5),
                                               WN_SLOT_U32(guest, slots, 6));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_path_link(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_path_link(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                 WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3),
                                 WN_SLOT_U32(guest, slots, 4), WN_SLOT_U32(guest, slots, 5),
                                 WN_SLOT_U32(guest, slots, 6));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_path_open(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_path_open(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                 WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3),
                                 WN_SLOT_U32(guest, slots, 4), WN_SLOT_U64(guest, slots, 5),
                                 WN_SLOT_U64(guest, slots, 6), WN_SLOT_U32(guest, slots, 7),
                                 WN_SLOT_U32(guest, slots, 8));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_path_readlink(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_path_readlink(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                     WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3),
                                     WN_SLOT_U32(guest, slots, 4), WN_SLOT_U32(guest, slots, 5));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_path_remove_directory(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_path_remove_directory(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                             WN_SLOT_U32(guest, slots, 2));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_path_rename(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_path_rename(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                   WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3),
                                   WN_SLOT_U32(guest, slots, 4), WN_SLOT_U32(guest, slots, 5));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_path_symlink(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_path_symlink(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                    WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3),
                                    WN_SLOT_U32(guest, slots, 4));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_path_unlink_file(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_path_unlink_file(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                        WN_SLOT_U32(guest, slots, 2));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_poll_oneoff(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_poll_oneoff(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                   WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_proc_exit(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p1_proc_exit(guest, WN_SLOT_U32(guest, slots, 0));
}

static wn_err_t call_proc_raise(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_proc_raise(guest, WN_SLOT_U32(guest, slots, 0));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_sched_yield(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_sched_yield(guest);
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_random_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_random_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_sock_accept(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_sock_accept(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                   WN_SLOT_U32(guest, slots, 2));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_sock_recv(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_sock_recv(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                 WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3),
                                 WN_SLOT_U32(guest, slots, 4), WN_SLOT_U32(guest, slots, 5));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_sock_send(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_sock_send(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                 WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3),
                                 WN_SLOT_U32(guest, slots, 4));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_sock_shutdown(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_sock_shutdown(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_unstable_fd_filestat_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_unstable_fd_filestat_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_unstable_fd_seek(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_unstable_fd_seek(guest, WN_SLOT_U32(guest, slots, 0), (int64_t)WN_SLOT_U64(guest, slots, 1),
                                        WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_unstable_path_filestat_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_unstable_path_filestat_get(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                                  WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3),
                                                  WN_SLOT_U32(guest, slots, 4));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static wn_err_t call_unstable_poll_oneoff(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p1_unstable_poll_oneoff(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                            WN_SLOT_U32(guest, slots, 2), WN_SLOT_U32(guest, slots, 3));
  if (WN_UNLIKELY(err < 0)) return err;
  *WN_SLOT(guest, slots, 0) = (uint32_t)err;
  return 0;
}

static const wn_row_t wn_p1_table[91] = {
    {"wasi_snapshot_preview1", "args_get", "ii", "i", "argv,argv_buf", "args", call_args_get, NULL, NULL},
    {"wasi_snapshot_preview1", "args_sizes_get", "ii", "i", "argc,argv_buf_size", "args", call_args_sizes_get, NULL,
     NULL},
    {"wasi_snapshot_preview1", "environ_get", "ii", "i", "environ,environ_buf", "env", call_environ_get, NULL, NULL},
    {"wasi_snapshot_preview1", "environ_sizes_get", "ii", "i", "environc,environ_buf_size", "env",
     call_environ_sizes_get, NULL, NULL},
    {"wasi_snapshot_preview1", "clock_res_get", "ii", "i", "id,resolution", "clock", call_clock_res_get, NULL, NULL},
    {"wasi_snapshot_preview1", "clock_time_get", "iIi", "i", "id,precision,time", "clock", call_clock_time_get, NULL,
     NULL},
    {"wasi_snapshot_preview1", "fd_advise", "iIIi", "i", "fd,offset,len,advice", "files", call_fd_advise, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_allocate", "iII", "i", "fd,offset,len", "files", call_fd_allocate, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_close", "i", "i", "fd", "files", call_fd_close, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_datasync", "i", "i", "fd", "files", call_fd_datasync, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_fdstat_get", "ii", "i", "fd,stat", "files", call_fd_fdstat_get, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_fdstat_set_flags", "ii", "i", "fd,flags", "files", call_fd_fdstat_set_flags, NULL,
     NULL},
    {"wasi_snapshot_preview1", "fd_fdstat_set_rights", "iII", "i", "fd,fs_rights_base,fs_rights_inheriting", "files",
     call_fd_fdstat_set_rights, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_filestat_get", "ii", "i", "fd,stat", "files", call_fd_filestat_get, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_filestat_set_size", "iI", "i", "fd,size", "files", call_fd_filestat_set_size, NULL,
     NULL},
    {"wasi_snapshot_preview1", "fd_filestat_set_times", "iIIi", "i", "fd,atim,mtim,fst_flags", "files",
     call_fd_filestat_set_times, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_pread", "iiiIi", "i", "fd,iovs,iovs_len,offset,nread", "files", call_fd_pread,
     NULL, NULL},
    {"wasi_snapshot_preview1", "fd_prestat_get", "ii", "i", "fd,prestat", "files", call_fd_prestat_get, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_prestat_dir_name", "iii", "i", "fd,path,path_len", "files",
     call_fd_prestat_dir_name, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_pwrite", "iiiIi", "i", "fd,iovs,iovs_len,offset,nwritten", "files", call_fd_pwrite,
     NULL, NULL},
    {"wasi_snapshot_preview1", "fd_read", "iiii", "i", "fd,iovs,iovs_len,nread", "files", call_fd_read, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_readdir", "iiiIi", "i", "fd,buf,buf_len,cookie,bufused", "files", call_fd_readdir,
     NULL, NULL},
    {"wasi_snapshot_preview1", "fd_renumber", "ii", "i", "fd,to", "files", call_fd_renumber, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_seek", "iIii", "i", "fd,offset,whence,newoffset", "files", call_fd_seek, NULL,
     NULL},
    {"wasi_snapshot_preview1", "fd_sync", "i", "i", "fd", "files", call_fd_sync, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_tell", "ii", "i", "fd,offset", "files", call_fd_tell, NULL, NULL},
    {"wasi_snapshot_preview1", "fd_write", "iiii", "i", "fd,iovs,iovs_len,nwritten", "files", call_fd_write, NULL,
     NULL},
    {"wasi_snapshot_preview1", "path_create_directory", "iii", "i", "fd,path,path_len", "files",
     call_path_create_directory, NULL, NULL},
    {"wasi_snapshot_preview1", "path_filestat_get", "iiiii", "i", "fd,flags,path,path_len,stat", "files",
     call_path_filestat_get, NULL, NULL},
    {"wasi_snapshot_preview1", "path_filestat_set_times", "iiiiIIi", "i",
     "fd,flags,path,path_len,atim,mtim,fst_flags", "files", call_path_filestat_set_times, NULL, NULL},
    {"wasi_snapshot_preview1", "path_link", "iiiiiii", "i",
     "old_fd,old_flags,old_path,old_path_len,new_fd,new_path,new_path_len", "files", call_path_link, NULL, NULL},
    {"wasi_snapshot_preview1", "path_open", "iiiiiIIii", "i",
     "fd,dirflags,path,path_len,oflags,fs_rights_base,fs_rights_inheriting,fdflags,opened_fd", "files",
     call_path_open, NULL, NULL},
    {"wasi_snapshot_preview1", "path_readlink", "iiiiii", "i", "fd,path,path_len,buf,buf_len,bufused", "files",
     call_path_readlink, NULL, NULL},
    {"wasi_snapshot_preview1", "path_remove_directory", "iii", "i", "fd,path,path_len", "files",
     call_path_remove_directory, NULL, NULL},
    {"wasi_snapshot_preview1", "path_rename", "iiiiii", "i", "fd,old_path,old_path_len,new_fd,new_path,new_path_len",
     "files", call_path_rename, NULL, NULL},
    {"wasi_snapshot_preview1", "path_symlink", "iiiii", "i", "old_path,old_path_len,fd,new_path,new_path_len",
     "files", call_path_symlink, NULL, NULL},
    {"wasi_snapshot_preview1", "path_unlink_file", "iii", "i", "fd,path,path_len", "files", call_path_unlink_file,
     NULL, NULL},
    {"wasi_snapshot_preview1", "poll_oneoff", "iiii", "i", "in,out,nsubscriptions,nevents", "poll", call_poll_oneoff,
     NULL, NULL},
    {"wasi_snapshot_preview1", "proc_exit", "i", "", "rval", "process", call_proc_exit, NULL, NULL},
    {"wasi_snapshot_preview1", "proc_raise", "i", "i", "sig", "process", call_proc_raise, NULL, NULL},
    {"wasi_snapshot_preview1", "sched_yield", "", "i", "", "process", call_sched_yield, NULL, NULL},
    {"wasi_snapshot_preview1", "random_get", "ii", "i", "buf,buf_len", "random", call_random_get, NULL, NULL},
    {"wasi_snapshot_preview1", "sock_accept", "iii", "i", "fd,flags,opened_fd", "sockets", call_sock_accept, NULL,
     NULL},
    {"wasi_snapshot_preview1", "sock_recv", "iiiiii", "i", "fd,ri_data,ri_data_len,ri_flags,ro_datalen,ro_flags",
     "sockets", call_sock_recv, NULL, NULL},
    {"wasi_snapshot_preview1", "sock_send", "iiiii", "i", "fd,si_data,si_data_len,si_flags,so_datalen", "sockets",
     call_sock_send, NULL, NULL},
    {"wasi_snapshot_preview1", "sock_shutdown", "ii", "i", "fd,how", "sockets", call_sock_shutdown, NULL, NULL},
    {"wasi_unstable", "args_get", "ii", "i", "argv,argv_buf", "args", call_args_get, NULL, NULL},
    {"wasi_unstable", "args_sizes_get", "ii", "i", "argc,argv_buf_size", "args", call_args_sizes_get, NULL, NULL},
    {"wasi_unstable", "environ_get", "ii", "i", "environ,environ_buf", "env", call_environ_get, NULL, NULL},
    {"wasi_unstable", "environ_sizes_get", "ii", "i", "environc,environ_buf_size", "env", call_environ_sizes_get,
     NULL, NULL},
    {"wasi_unstable", "clock_res_get", "ii", "i", "id,resolution", "clock", call_clock_res_get, NULL, NULL},
    {"wasi_unstable", "clock_time_get", "iIi", "i", "id,precision,time", "clock", call_clock_time_get, NULL, NULL},
    {"wasi_unstable", "fd_advise", "iIIi", "i", "fd,offset,len,advice", "files", call_fd_advise, NULL, NULL},
    {"wasi_unstable", "fd_allocate", "iII", "i", "fd,offset,len", "files", call_fd_allocate, NULL, NULL},
    {"wasi_unstable", "fd_close", "i", "i", "fd", "files", call_fd_close, NULL, NULL},
    {"wasi_unstable", "fd_datasync", "i", "i", "fd", "files", call_fd_datasync, NULL, NULL},
    {"wasi_unstable", "fd_fdstat_get", "ii", "i", "fd,stat", "files", call_fd_fdstat_get, NULL, NULL},
    {"wasi_unstable", "fd_fdstat_set_flags", "ii", "i", "fd,flags", "files", call_fd_fdstat_set_flags, NULL, NULL},
    {"wasi_unstable", "fd_fdstat_set_rights", "iII", "i", "fd,fs_rights_base,fs_rights_inheriting", "files",
     call_fd_fdstat_set_rights, NULL, NULL},
    {"wasi_unstable", "fd_filestat_get", "ii", "i", "fd,stat", "files", call_unstable_fd_filestat_get, NULL, NULL},
    {"wasi_unstable", "fd_filestat_set_size", "iI", "i", "fd,size", "files", call_fd_filestat_set_size, NULL, NULL},
    {"wasi_unstable", "fd_filestat_set_times", "iIIi", "i", "fd,atim,mtim,fst_flags", "files",
     call_fd_filestat_set_times, NULL, NULL},
    {"wasi_unstable", "fd_pread", "iiiIi", "i", "fd,iovs,iovs_len,offset,nread", "files", call_fd_pread, NULL, NULL},
    {"wasi_unstable", "fd_prestat_get", "ii", "i", "fd,prestat", "files", call_fd_prestat_get, NULL, NULL},
    {"wasi_unstable", "fd_prestat_dir_name", "iii", "i", "fd,path,path_len", "files", call_fd_prestat_dir_name, NULL,
     NULL},
    {"wasi_unstable", "fd_pwrite", "iiiIi", "i", "fd,iovs,iovs_len,offset,nwritten", "files", call_fd_pwrite, NULL,
     NULL},
    {"wasi_unstable", "fd_read", "iiii", "i", "fd,iovs,iovs_len,nread", "files", call_fd_read, NULL, NULL},
    {"wasi_unstable", "fd_readdir", "iiiIi", "i", "fd,buf,buf_len,cookie,bufused", "files", call_fd_readdir, NULL,
     NULL},
    {"wasi_unstable", "fd_renumber", "ii", "i", "fd,to", "files", call_fd_renumber, NULL, NULL},
    {"wasi_unstable", "fd_seek", "iIii", "i", "fd,offset,whence,newoffset", "files", call_unstable_fd_seek, NULL,
     NULL},
    {"wasi_unstable", "fd_sync", "i", "i", "fd", "files", call_fd_sync, NULL, NULL},
    {"wasi_unstable", "fd_tell", "ii", "i", "fd,offset", "files", call_fd_tell, NULL, NULL},
    {"wasi_unstable", "fd_write", "iiii", "i", "fd,iovs,iovs_len,nwritten", "files", call_fd_write, NULL, NULL},
    {"wasi_unstable", "path_create_directory", "iii", "i", "fd,path,path_len", "files", call_path_create_directory,
     NULL, NULL},
    {"wasi_unstable", "path_filestat_get", "iiiii", "i", "fd,flags,path,path_len,stat", "files",
     call_unstable_path_filestat_get, NULL, NULL},
    {"wasi_unstable", "path_filestat_set_times", "iiiiIIi", "i", "fd,flags,path,path_len,atim,mtim,fst_flags",
     "files", call_path_filestat_set_times, NULL, NULL},
    {"wasi_unstable", "path_link", "iiiiiii", "i",
     "old_fd,old_flags,old_path,old_path_len,new_fd,new_path,new_path_len", "files", call_path_link, NULL, NULL},
    {"wasi_unstable", "path_open", "iiiiiIIii", "i",
     "fd,dirflags,path,path_len,oflags,fs_rights_base,fs_rights_inheriting,fdflags,opened_fd", "files",
     call_path_open, NULL, NULL},
    {"wasi_unstable", "path_readlink", "iiiiii", "i", "fd,path,path_len,buf,buf_len,bufused", "files",
     call_path_readlink, NULL, NULL},
    {"wasi_unstable", "path_remove_directory", "iii", "i", "fd,path,path_len", "files", call_path_remove_directory,
     NULL, NULL},
    {"wasi_unstable", "path_rename", "iiiiii", "i", "fd,old_path,old_path_len,new_fd,new_path,new_path_len", "files",
     call_path_rename, NULL, NULL},
    {"wasi_unstable", "path_symlink", "iiiii", "i", "old_path,old_path_len,fd,new_path,new_path_len", "files",
     call_path_symlink, NULL, NULL},
    {"wasi_unstable", "path_unlink_file", "iii", "i", "fd,path,path_len", "files", call_path_unlink_file, NULL, NULL},
    {"wasi_unstable", "poll_oneoff", "iiii", "i", "in,out,nsubscriptions,nevents", "poll", call_unstable_poll_oneoff,
     NULL, NULL},
    {"wasi_unstable", "proc_exit", "i", "", "rval", "process", call_proc_exit, NULL, NULL},
    {"wasi_unstable", "proc_raise", "i", "i", "sig", "process", call_proc_raise, NULL, NULL},
    {"wasi_unstable", "sched_yield", "", "i", "", "process", call_sched_yield, NULL, NULL},
    {"wasi_unstable", "random_get", "ii", "i", "buf,buf_len", "random", call_random_get, NULL, NULL},
    {"wasi_unstable", "sock_recv", "iiiiii", "i", "fd,ri_data,ri_data_len,ri_flags,ro_datalen,ro_flags", "sockets",
     call_sock_recv, NULL, NULL},
    {"wasi_unstable", "sock_send", "iiiii", "i", "fd,si_data,si_data_len,si_flags,so_datalen", "sockets",
     call_sock_send, NULL, NULL},
    {"wasi_unstable", "sock_shutdown", "ii", "i", "fd,how", "sockets", call_sock_shutdown, NULL, NULL},
};

#endif
#endif
