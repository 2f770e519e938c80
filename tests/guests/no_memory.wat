;; no_memory - calls WASI without a memory: fd_close needs none, clock_time_get has nowhere to write.
(module
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (func (export "close") (param i32) (result i32) (call $fd_close (local.get 0)))
  (func (export "clock") (result i32) (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 0))))
