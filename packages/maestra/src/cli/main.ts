import { MaestraError } from '@maestra/client/base/error'
import { CommanderError } from 'commander'
import { exitCodeOf, exitCodes } from './exit-code.js'
import { interruptions } from './interruption.js'
import { buildProgram } from './program.js'
import { terminal } from './terminal.js'
import { errorView } from './views/error-view.js'

/** Runs the command line and sets the exit code of the process. */
export async function main(argv: readonly string[]): Promise<void> {
  const interruption = interruptions()
  endQuietlyWithReader()
  try {
    await buildProgram({ signal: interruption.signal, leaveSignals: interruption.leave }).parseAsync([...argv])
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2
      return
    }
    process.stderr.write(errorView(error, terminal(process.stderr)))
    process.exitCode = exitCodeOf(error)
  } finally {
    interruption.stopListening()
  }
}

/** `maestra status | head -1` closes our output while we write: that is no error. */
function endQuietlyWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    process.stderr.write(
      errorView(
        new MaestraError('file-system-failed', `cannot write the output: ${error.message}`),
        terminal(process.stderr),
      ),
    )
    process.exit(exitCodes.failed)
  })
}
