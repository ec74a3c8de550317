// A million random values over connections with shapes, for `make soak`.
process.env.COVEY_SHAPED_VALUES ??= '1000000'
await import('./shapes-random.test.ts')
