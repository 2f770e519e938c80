;; two_memories - WASI speaks about the exported one, here the second.
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (memory $first 1)
  (memory $second (export "memory") 1)
  (func (export "clock") (param i32) (result i32)
    (call $clock_time_get (i32.const 0) (i64.const 0) (local.get 0)))
  (func (export "first") (param i32) (result i64) (i64.load $first (local.get 0)))
  (func (export "second") (param i32) (result i64) (i64.load $second (local.get 0))))
