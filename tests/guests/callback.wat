;; callback - calls functions of the embedder: env.add, env.add64 and env.scale compute, env.note takes a
;; string of guest memory, env.back is called inside "nest", where it may call "leaf" again.
(module
  (import "env" "add" (func $add (param i32 i32) (result i32)))
  (import "env" "add64" (func $add64 (param i64 i64) (result i64)))
  (import "env" "scale" (func $scale (param f64 f32) (result f64)))
  (import "env" "note" (func $note (param i32 i32)))
  (import "env" "back" (func $back (param i32) (result i32)))
  (memory (export "memory") 1 16)
  (data (i32.const 64) "noted")
  (func (export "add") (param i32 i32) (result i32) (call $add (local.get 0) (local.get 1)))
  (func (export "add64") (param i64 i64) (result i64) (call $add64 (local.get 0) (local.get 1)))
  (func (export "scale") (param f64 f32) (result f64) (call $scale (local.get 0) (local.get 1)))
  (func (export "note") (call $note (i32.const 64) (i32.const 5)))
  (func (export "leaf") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "nest") (param i32) (result i32) (i32.add (call $back (local.get 0)) (i32.const 1)))
  (func (export "repeat") (param $times i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (call $add (local.get $sum) (i32.const 1)))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
    (local.get $sum)))
