// A million cancelled calls, for `make soak`.
process.env.COVEY_CANCELLED_CALLS ??= '1000000'
await import('./cancelled-calls.test.ts')
