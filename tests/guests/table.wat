;; table - table.grow under the test's hand: the old size, or -1 at the limit.
(module
  (table (export "table") 1 10000000 funcref)
  (func (export "size") (result i32) (table.size 0))
  (func (export "grow") (param i32) (result i32) (table.grow 0 (ref.null func) (local.get 0))))
