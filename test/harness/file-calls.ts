import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A call of a process that changes a file or makes it durable; `began` and `ended` say where in the row of all calls. */
export type FileCall = {
  readonly name: 'create' | 'write' | 'sync' | 'rename'
  readonly path: string
  /** Where a rename leads. */
  readonly to?: string
  readonly began: number
  readonly ended: number
}

/** Runs a command of Node.js so that its calls are written down in a file. */
export type FileCallRecorder = {
  readonly name: string
  readonly command: (file: string, args: readonly string[]) => readonly [string, ...string[]]
  readonly read: (file: string) => readonly FileCall[]
}

const strace = ['/usr/bin/strace', '/usr/local/bin/strace'].find(existsSync)

/** The kernel's view where there is strace, and that of Node.js' own file system module everywhere. */
export const recorders: readonly FileCallRecorder[] = [
  ...(strace === undefined ? [] : [byStrace(strace)]),
  {
    name: 'the calls of node:fs',
    command: (file, args) => {
      const hook = fileURLToPath(new URL('record-file-calls.js', import.meta.url))
      return ['env', `RECORD_FILE_CALLS=${file}`, process.execPath, `--import=${hook}`, ...args]
    },
    read: (file) =>
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as FileCall),
  },
]

function byStrace(program: string): FileCallRecorder {
  const calls = 'openat,mkdir,symlink,write,writev,pwrite64,pwritev,fsync,fdatasync,rename,renameat,renameat2'
  return {
    name: 'strace',
    // -y has the path of each descriptor, -f the threads that libuv writes and syncs on; -b leaves the servers that it starts alone.
    command: (file, args) => [
      program,
      '-f',
      '-b',
      'execve',
      '-y',
      '-q',
      '-s',
      '0',
      '-e',
      `trace=${calls}`,
      '-o',
      file,
      process.execPath,
      ...args,
    ],
    read: (file) => straceCalls(readFileSync(file, 'utf8').split('\n')),
  }
}

/** A call that another thread interrupts stands in two lines, `<unfinished ...>` and `<... resumed>`. */
function straceCalls(lines: readonly string[]): readonly FileCall[] {
  const unfinished = new Map<string, { readonly text: string; readonly began: number }>()
  return lines.flatMap((line, index) => {
    const [, pid = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (text.endsWith('<unfinished ...>')) {
      unfinished.set(pid, { text, began: index })
      return []
    }
    const before = text.startsWith('<...') ? unfinished.get(pid) : undefined
    const call = callOf(before?.text ?? text)
    // An error has changed nothing.
    if (call === undefined || / = -1 E/.test(text)) return []
    return [{ ...call, began: before?.began ?? index, ended: index }]
  })
}

function callOf(text: string): Pick<FileCall, 'name' | 'path' | 'to'> | undefined {
  const descriptor = /^(write|writev|pwrite64|pwritev|fsync|fdatasync)\(\d+<([^>]*)>/.exec(text)
  if (descriptor !== null) {
    const [, name = '', path = ''] = descriptor
    return { name: name.startsWith('f') ? 'sync' : 'write', path }
  }
  const paths = [...text.matchAll(/"([^"]*)"/g)].map(([, path = '']) => path)
  const [path = '', to = ''] = paths
  if (/^rename/.test(text)) return { name: 'rename', path, to }
  if (/^mkdir\(/.test(text) || (/^openat\(/.test(text) && text.includes('O_CREAT'))) return { name: 'create', path }
  return /^symlink\(/.test(text) ? { name: 'create', path: to } : undefined
}
