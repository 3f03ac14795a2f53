/** What the suites of a host run: as scripts of the shell where there is one. A host without one has programs that do the same. */
export const suiteScripts = {
  /** Writes `out` and, as an error, `err`; exits with code $1. */
  speak: 'echo out; echo err >&2; exit "$1"',
  /** Writes its input, $1 and the variable GIVEN. */
  repeat: 'cat; printf "%s" "$1"; printf "%s" "$GIVEN"',
  /** Exits with code $1, its input unread. */
  exit: 'exit "$1"',
  /** Is ended by the signal $1, without the letters SIG. */
  die: 'kill -s "$1" $$',
  /** Writes the number of its account, of its group, and of all its groups, on a line each. */
  whoami: 'id -u; id -g; id -G',
  /** Makes the file $1. */
  touch: 'echo > "$1"',
  /** Makes the file $1 and runs on; sent SIGTERM, takes its time, makes the file $2 and exits. */
  tidy: 'trap "sleep 0.1; echo > $2; exit 0" TERM; echo > $1; while :; do sleep 0.01; done',
  /** Writes its pid, `err` as an error, and the number of its session; runs on. */
  session: 'echo $$; echo err >&2; read -r stat < /proc/$$/stat; set -- $stat; echo "$6"; exec sleep 1000',
  wait: 'exec sleep 1000',
  /** Writes `beat` again and again. */
  beat: 'while :; do echo beat; sleep 0.01; done',
  /** Writes `over` when its input has ended. */
  listen: 'cat > /dev/null; echo over',
  /** Starts a child that starts a child; writes the pids of both, in any order, and runs on as they do. */
  family: 'sh -c "sleep 1000 & echo \\$!; wait" & echo $!; wait',
  /** Writes the pid of a child that runs on until it is ended. Once it is no `echo` any more, it never asks how the child ended. */
  forget: 'sleep 1000 & echo $!; exec sleep 1000',
  /** Takes the port $1 of the loopback address, writes `listening` and runs on. */
  serve: `exec '${process.execPath}' -e 'require("net").createServer().listen(process.argv[1], "127.0.0.1", () => console.log("listening"))' "$1"`,
} as const

export type SuiteProgram = keyof typeof suiteScripts

/** A program and its arguments, as a host takes them. */
export type Command = readonly [program: string, args: readonly string[]]

/** How a host with a shell runs a program of the suites. */
export function shellCommand(program: SuiteProgram, ...args: readonly string[]): Command {
  return ['/bin/sh', ['-c', suiteScripts[program], 'sh', ...args]]
}
