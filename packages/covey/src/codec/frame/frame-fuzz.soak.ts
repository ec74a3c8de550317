// The fuzz test with ten times as many frames, for `make soak`; its size is read when it is loaded.
process.env.COVEY_FUZZ_FRAMES ??= '10000000'
await import('./frame-fuzz.test.ts')
