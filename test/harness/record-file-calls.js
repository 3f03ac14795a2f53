// @ts-check
// node --import ./record-file-calls.js program.js: writes down, in the file that RECORD_FILE_CALLS names, each call of node:fs that changes
// a file or makes it durable, as a FileCall of file-calls.ts.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const output = fs.openSync(process.env['RECORD_FILE_CALLS'] ?? '/dev/null', 'a')
const { writeSync } = fs

/** @type {Map<number, string>} */
const paths = new Map()
let row = 0

/** @param {string} name @param {string} path @param {number} began @param {string} [to] */
function record(name, path, began, to) {
  row += 1
  writeSync(output, `${JSON.stringify({ name, path, to, began, ended: row })}\n`)
}

/** @param {any} flags */
const creates = (flags) =>
  typeof flags === 'number' ? (flags & fs.constants.O_CREAT) !== 0 : /[wa]/.test(String(flags))

/**
 * Wraps a function of an object, of whatever form: it throws or returns, takes a callback, or returns a promise.
 * @param {any} holder @param {string} name @param {(args: any[], result: any, began: number, self: any) => void} done
 */
function wrap(holder, name, done) {
  const original = holder[name]
  holder[name] = function (/** @type {any[]} */ ...args) {
    row += 1
    const began = row
    const callback = args.at(-1)
    if (typeof callback === 'function') {
      const seen = (/** @type {any} */ error, /** @type {any} */ ...rest) => {
        if (!error) done(args, rest[0], began, this)
        callback(error, ...rest)
      }
      return original.call(this, ...args.slice(0, -1), seen)
    }
    const result = original.apply(this, args)
    if (typeof result?.then !== 'function') done(args, result, began, this)
    else
      result.then(
        (/** @type {any} */ value) => done(args, value, began, this),
        () => {},
      )
    return result
  }
}

/** @param {any[]} args @param {any} result @param {number} began */
function opened([path, flags], result, began) {
  paths.set(typeof result === 'number' ? result : result.fd, String(path))
  if (creates(flags)) record('create', String(path), began)
}
for (const holder of [fs, fs.promises]) {
  const all = /** @type {any} */ (holder)
  for (const name of ['open', 'openSync']) if (all[name]) wrap(all, name, opened)
  for (const name of ['mkdir', 'mkdirSync'])
    if (all[name]) wrap(all, name, ([path], _result, began) => record('create', String(path), began))
  for (const name of ['symlink', 'symlinkSync'])
    if (all[name]) wrap(all, name, ([, path], _result, began) => record('create', String(path), began))
  for (const name of ['rename', 'renameSync'])
    if (all[name]) wrap(all, name, ([path, to], _result, began) => record('rename', String(path), began, String(to)))
}
for (const name of ['write', 'writev', 'writeSync', 'writevSync'])
  wrap(fs, name, ([fd], _result, began) => record('write', paths.get(fd) ?? '', began))
for (const name of ['fsync', 'fsyncSync', 'fdatasync', 'fdatasyncSync'])
  wrap(fs, name, ([fd], _result, began) => record('sync', paths.get(fd) ?? '', began))
const handle = await fs.promises.open('/dev/null')
const handles = Object.getPrototypeOf(handle)
for (const name of ['write', 'writev', 'writeFile', 'appendFile', 'truncate'])
  wrap(handles, name, (_args, _result, began, self) => record('write', paths.get(self.fd) ?? '', began))
for (const name of ['sync', 'datasync'])
  wrap(handles, name, (_args, _result, began, self) => record('sync', paths.get(self.fd) ?? '', began))
await handle.close()
syncBuiltinESMExports()
