import { createHash } from 'node:crypto'
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { constants, Script } from 'node:vm'

/**
 * The exports of a CommonJS file that was joined from many. What V8 compiles of it is kept beside the file, for this version of
 * Node.js, and is there already when the next process starts. Whoever can put something there can change the file as well, so
 * that nobody is trusted more than before. `thorough` is told when the process ends: whether it went through most of the code.
 *
 * @param {string} file @param {() => boolean} thorough
 */
export function loadWithKeptCode(file, thorough) {
  const source = readFileSync(file, 'utf8')
  const place = `${file}.${process.version}-${process.arch}.code`
  const kept = read(place, digest(source))
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: file,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(kept && { cachedData: kept.code }),
  })
  const isUsed = kept !== undefined && script.cachedDataRejected !== true
  if (!isUsed || !kept.thorough)
    process.once('exit', () => {
      if (!isUsed || thorough()) keep(place, digest(source), script.createCachedData(), thorough())
    })
  const module = { exports: {} }
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file))
  return module.exports
}

/** V8 itself compares its version, its flags and the length of the source, and looks at nothing else of what it is given. */
const digest = (content) => createHash('sha256').update(content).digest()
const digestBytes = 32

/** Of source and code, then whether it is thorough, then the code. */
function read(place, source) {
  try {
    const bytes = readFileSync(place)
    const code = bytes.subarray(2 * digestBytes + 1)
    const isWhole = digest(code).equals(bytes.subarray(digestBytes, 2 * digestBytes))
    return isWhole && source.equals(bytes.subarray(0, digestBytes))
      ? { code, thorough: bytes[2 * digestBytes] === 1 }
      : undefined
  } catch {
    return undefined
  }
}

/** For the owner of the package alone: no file of root's is to be left in the folder of somebody else. */
function keep(place, source, code, thorough) {
  const beside = `${place}.${process.pid}`
  try {
    if (statSync(dirname(place)).uid !== process.geteuid?.()) return
    writeFileSync(beside, Buffer.concat([source, digest(code), Buffer.from([thorough ? 1 : 0]), code]), { flag: 'wx' })
    renameSync(beside, place)
  } catch {
    // It is a folder that cannot be written, or a full disk: the next start is as fast as this one was.
    rmSync(beside, { force: true })
  }
}
