// Ten minutes of clients and servers that come and go, for `make soak`.
process.env.SOAK_SECONDS ??= '600'
await import('./churn.test.ts')
