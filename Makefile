# Every target is an npm script: npm puts Node 26 of node_modules first, and scripts/bootstrap.mjs
# installs it before on a machine that has only an older Node. Arguments go through ARGS:
# make test ARGS=packages/covey/src/rpc/batch.test.ts

.PHONY: start stop test check format bench soak

start stop test check format bench soak:
	@npm run --silent $@ -- $(ARGS)
