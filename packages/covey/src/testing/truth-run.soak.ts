// The truth ledger with a million calls of each kind of link, 400,000 of them over HTTP, for `make soak`; ten million with COVEY_LEDGER_CALLS=10000000.
process.env.COVEY_LEDGER_CALLS ??= '1000000'
process.env.COVEY_LEDGER_HTTP_CALLS ??= '400000'
await import('./truth-run.test.ts')
