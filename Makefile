# Every target is an npm script: npm puts Node 26 of node_modules first, and scripts/bootstrap.mjs
# installs it before on a machine that has only an older Node. Arguments go through ARGS:
# make test ARGS=packages/covey/src/rpc/batch.test.ts

.PHONY: start stop test check format bench soak

# In a terminal the fleet gets Ctrl-C to itself (a process group of its own, by set -m), so that it drains and make ends
# well; otherwise make would be interrupted as well and report an error.
start:
	@if [ -t 0 ]; then set -m; npm run --silent start -- $(ARGS); exit $$?; \
	else exec npm run --silent start -- $(ARGS); fi

stop test check format bench soak:
	@npm run --silent $@ -- $(ARGS)
