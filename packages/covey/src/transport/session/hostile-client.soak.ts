// The conversations of hostile clients with ten times as many rounds, for `make soak`.
process.env.COVEY_FUZZ_FRAMES ??= '10000000'
await import('./hostile-client.test.ts')
