// A million random values through Python and back, for `make soak`.
process.env.COVEY_VALUES ??= '1000000'
await import('./msgpack-values.test.ts')
