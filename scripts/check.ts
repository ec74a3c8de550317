import { checkDuplicates } from './check-duplicates.ts'
import { checkLayers } from './check-layers.ts'
import { checkLint } from './check-lint.ts'
import { checkPackage } from './check-package.ts'
import { checkSizes } from './check-sizes.ts'
import { checkTypes } from './check-types.ts'
import { type Check, reportChecks, repositoryRoot } from './findings.ts'

/**
 * Everything that `make check` holds. The two tools stand first: they work in processes of their
 * own beside the rest.
 */
export const checks: readonly Check[] = [
  { name: 'types', run: checkTypes },
  { name: 'lint', run: checkLint },
  { name: 'layers', run: checkLayers },
  { name: 'sizes', run: checkSizes },
  { name: 'duplicates', run: checkDuplicates },
  { name: 'package', run: checkPackage },
]

if (import.meta.main) process.exitCode = (await reportChecks(checks, repositoryRoot)) ? 0 : 1
