// A million damaged bodies, texts and headers each, and a hundred thousand requests, for `make soak`.
process.env.COVEY_HTTP_FUZZ ??= '1000000'
await import('./http-fuzz.test.ts')
