import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'

/** The files of the status page: path, file, media type. There is no other, so nothing can be reached by a path. */
const files = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8'],
] as const

/** Serves the status page. */
export async function addPageRoutes(app: FastifyInstance): Promise<void> {
  for (const [path, name, type] of files) {
    const content = await readFile(new URL(`./page/${name}`, import.meta.url), 'utf8')
    app.get(path, async (_, reply) => reply.type(type).send(content))
  }
}
