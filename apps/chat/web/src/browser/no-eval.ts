import { z } from 'zod'

// zod compiles schemas with `new Function` where it may; the content security policy of the page forbids
// it and would report each try. Imported first, because schemas decide this when they are made.
z.config({ jitless: true })
