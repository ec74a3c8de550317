// A million damaged conversations for each kind of seal, for `make soak`; their number is read when it is loaded.
process.env.COVEY_CHANGES ??= '1000000'
await import('./frame-seal.test.ts')
