import { cp, glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { repositoryRoot } from './findings.ts'
import { runCommand } from './run-command.ts'

const source = join(repositoryRoot, 'packages/covey')
const dist = join(source, 'dist')

if (import.meta.main) console.log(await packCovey(process.cwd()))

/**
 * Makes the package that is published. Node runs no TypeScript below `node_modules`, so it holds JavaScript with its
 * declarations, generated into `packages/covey/dist`.
 *
 * @param directory where the tarball goes
 * @returns path of the tarball
 * @throws Error with what the compiler or npm said
 */
export async function packCovey(directory: string): Promise<string> {
  await rm(dist, { recursive: true, force: true })
  await run(join(repositoryRoot, 'node_modules/.bin/tsc'), [
    '-p',
    join(source, 'tsconfig.build.json'),
  ])
  await copyFiles()
  await writeFile(join(dist, 'package.json'), await publishedManifest())
  const output = await run('npm', [
    'pack',
    dist,
    '--pack-destination',
    directory,
    '--json',
    '--loglevel=error',
  ])
  const [packed] = Object.values(JSON.parse(output.slice(output.search(/[[{]\s*["{]/))) as Packed)
  return join(directory, packed!.filename)
}

/** npm 10 gives a list, npm 11 an object by name. */
type Packed = Record<string, { filename: string }>

/** Pages, SQL and the like, which the compiler leaves behind. */
async function copyFiles(): Promise<void> {
  for await (const file of glob('src/**/*.{html,css,js,sql,svg}', { cwd: source })) {
    await mkdir(dirname(join(dist, file)), { recursive: true })
    await cp(join(source, file), join(dist, file))
  }
  for (const file of ['README.md', 'LICENSE']) {
    await cp(join(repositoryRoot, file), join(dist, file))
  }
}

/** The same package, with `.js` where the repository has `.ts`. */
async function publishedManifest(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as Manifest
  const { devDependencies: _, bin, exports, ...rest } = manifest
  const published = {
    ...rest,
    bin: mapValues(bin, compiledPath),
    exports: mapValues(exports, publishedExport),
  }
  return `${JSON.stringify(published, null, 2)}\n`
}

/** `types` comes first, since the first condition that fits is taken; what a browser loads has the same types. */
function publishedExport(target: string | Record<string, string>): Record<string, string> {
  const conditions = typeof target === 'string' ? { default: target } : target
  const types = conditions.default!.replace(/\.ts$/, '.d.ts')
  return { types, ...mapValues(conditions, compiledPath) }
}

function compiledPath(path: string): string {
  return path.replace(/\.ts$/, '.js')
}

interface Manifest {
  devDependencies?: unknown
  bin: Record<string, string>
  exports: Record<string, string | Record<string, string>>
}

function mapValues<V, T>(record: Record<string, V>, map: (value: V) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

async function run(command: string, args: string[]): Promise<string> {
  const { code, output } = await runCommand(command, args, repositoryRoot)
  if (code === 0) return output
  throw new Error(`${relative(repositoryRoot, command)} ${args[0]} failed:\n${output}`)
}
