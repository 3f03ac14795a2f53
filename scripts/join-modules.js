// @ts-check
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Joins a compiled module and all that it imports, packages too, in one CommonJS file, which V8's code can be kept for.
 * @param {string} entry @param {string} file @returns {Promise<{ modules: readonly string[] }>} paths of what is in it
 */
export async function joinModules(entry, file) {
  const { rolldown } = await import('rolldown')
  // Optional for pg, which asks for it and goes on without.
  const build = await rolldown({ input: entry, platform: 'node', external: ['pg-native'] })
  const { output } = await build.generate({ format: 'cjs', codeSplitting: false })
  await build.close()
  const [made] = output
  await put(file, made.code)
  return { modules: made.moduleIds }
}

/** Whole or not at all: somebody may run it. @param {string} path @param {string} text */
export async function put(path, text) {
  const beside = `${path}.${process.pid}`
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeFile(beside, text)
    await rename(beside, path)
  } finally {
    await rm(beside, { force: true })
  }
}
